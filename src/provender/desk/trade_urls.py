"""Addresses of customers, products, categories and price lists."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import categories, customers, price_lists, products

urlpatterns: list[URLPattern | URLResolver] = [
    path("w/<slug:slug>/customers", customers.customers, name="customers"),
    path("w/<slug:slug>/customers/new", customers.new, name="customer-new"),
    path("w/<slug:slug>/customers/<uuid:pk>", customers.customer, name="customer"),
    path("w/<slug:slug>/customers/<uuid:pk>/edit", customers.edit, name="customer-edit"),
    path("w/<slug:slug>/customers/<uuid:pk>/switch", customers.switch, name="customer-switch"),
    path("w/<slug:slug>/products", products.products, name="products"),
    path("w/<slug:slug>/products/new", products.new, name="product-new"),
    path("w/<slug:slug>/products/<uuid:pk>", products.product, name="product"),
    path("w/<slug:slug>/products/<uuid:pk>/edit", products.edit, name="product-edit"),
    path("w/<slug:slug>/products/<uuid:pk>/switch", products.switch, name="product-switch"),
    path("w/<slug:slug>/categories", categories.categories, name="categories"),
    path("w/<slug:slug>/categories/<int:pk>", categories.edit, name="category-edit"),
    path("w/<slug:slug>/categories/<int:pk>/move", categories.move, name="category-move"),
    path("w/<slug:slug>/categories/<int:pk>/delete", categories.delete, name="category-delete"),
    path("w/<slug:slug>/price-lists", price_lists.price_lists, name="price-lists"),
    path("w/<slug:slug>/price-lists/new", price_lists.new, name="price-list-new"),
    path("w/<slug:slug>/price-lists/<uuid:pk>", price_lists.price_list, name="price-list"),
    path("w/<slug:slug>/price-lists/<uuid:pk>/rename", price_lists.rename, name="price-list-rename"),
    path("w/<slug:slug>/price-lists/<uuid:pk>/delete", price_lists.delete, name="price-list-delete"),
]
