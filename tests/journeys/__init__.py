"""People's ways through Provender and Xero. A package, so that the browser they share ends with the last of them."""
