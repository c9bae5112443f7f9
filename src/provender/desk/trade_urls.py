"""Addresses of customers, products, categories, price lists, and files of them."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import (
    categories,
    customer_prices,
    customers,
    list_files,
    price_files,
    price_lists,
    product_files,
    products,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("w/<slug:slug>/customers", customers.customers, name="customers"),
    path("w/<slug:slug>/customers/new", customers.new, name="customer-new"),
    path("w/<slug:slug>/customers/<uuid:pk>", customers.customer, name="customer"),
    path("w/<slug:slug>/customers/<uuid:pk>/edit", customers.edit, name="customer-edit"),
    path("w/<slug:slug>/customers/<uuid:pk>/switch", customers.switch, name="customer-switch"),
    path("w/<slug:slug>/customers/<uuid:pk>/prices", customer_prices.customer_prices, name="customer-prices"),
    path(
        "w/<slug:slug>/customers/<uuid:pk>/prices/<uuid:product>", customer_prices.customer_price, name="customer-price"
    ),
    path("w/<slug:slug>/customers/<uuid:pk>/prices/file", price_files.of_customer, name="customer-price-file"),
    path(
        "w/<slug:slug>/customers/<uuid:pk>/prices.<str:ending>",
        price_files.customer_prices,
        name="customer-price-download",
    ),
    path("w/<slug:slug>/products", products.products, name="products"),
    path("w/<slug:slug>/products/file", product_files.upload, name="product-file"),
    path("w/<slug:slug>/products/undo/<uuid:pk>", products.undo_bulk, name="product-undo-bulk"),
    path("w/<slug:slug>/products/new", products.new, name="product-new"),
    path("w/<slug:slug>/products/<uuid:pk>", products.product, name="product"),
    path("w/<slug:slug>/products/<uuid:pk>/edit", products.edit, name="product-edit"),
    path("w/<slug:slug>/products/<uuid:pk>/switch", products.switch, name="product-switch"),
    path("w/<slug:slug>/list-files/<uuid:pk>", list_files.show_file, name="list-file"),
    path("w/<slug:slug>/list-files/<uuid:pk>/apply", list_files.apply, name="list-file-apply"),
    path("w/<slug:slug>/list-files/<uuid:pk>/discard", list_files.discard, name="list-file-discard"),
    path("w/<slug:slug>/list-files/<uuid:pk>/rejects.csv", list_files.rejects, name="list-file-rejects"),
    path("w/<slug:slug>/products/<uuid:pk>/prices", customer_prices.product_payers, name="product-prices"),
    path("w/<slug:slug>/categories", categories.categories, name="categories"),
    path("w/<slug:slug>/categories/<int:pk>", categories.edit, name="category-edit"),
    path("w/<slug:slug>/categories/<int:pk>/move", categories.move, name="category-move"),
    path("w/<slug:slug>/categories/<int:pk>/delete", categories.delete, name="category-delete"),
    path("w/<slug:slug>/price-lists", price_lists.price_lists, name="price-lists"),
    path("w/<slug:slug>/price-lists/new", price_lists.new, name="price-list-new"),
    path("w/<slug:slug>/price-lists/<uuid:pk>", price_lists.price_list, name="price-list"),
    path("w/<slug:slug>/price-lists/<uuid:pk>/file", price_files.of_list, name="price-list-file"),
    path(
        "w/<slug:slug>/price-lists/<uuid:pk>/prices.<str:ending>", price_files.list_prices, name="price-list-download"
    ),
    path("w/<slug:slug>/price-lists/<uuid:pk>/edit", price_lists.edit, name="price-list-edit"),
    path(
        "w/<slug:slug>/price-lists/<uuid:pk>/products/<uuid:product>",
        price_lists.price_list_product,
        name="price-list-product",
    ),
    path("w/<slug:slug>/price-lists/<uuid:pk>/delete", price_lists.delete, name="price-list-delete"),
]
