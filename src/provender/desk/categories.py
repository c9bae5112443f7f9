"""Categories, the shelves of the catalogue: add, rename, put in order, delete."""

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from provender.catalogue import actions
from provender.catalogue.errors import CategoryNameTaken
from provender.catalogue.models import Category
from provender.desk.frame import DeskRequest, member
from provender.desk.meanwhile import SharedForm
from provender.people.roles import Doing
from provender.suppliers.models import Supplier


class CategoryForm(SharedForm):
    class Meta:
        model = Category
        fields = ("name",)
        error_messages = {"name": {"required": "What is it called?"}}


def _save(request: DeskRequest, form: CategoryForm) -> bool:
    """Keep the category if nothing is wrong with it; else the form says what is."""
    try:
        if not form.may_be_kept() or not form.keep(lambda: actions.save_category(form.instance, by=request.user)):
            return False
    except CategoryNameTaken as error:
        form.add_error("name", error.sentence)
        return False
    messages.success(request, f"{form.instance} is saved.")
    return True


@member(Doing.LOOK, post=Doing.TRADE)
def categories(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """All of them in their order, and a form for one more, which comes last."""
    form = CategoryForm.of(request, Category(supplier=supplier, position=supplier.categories.count()))
    if _save(request, form):
        return redirect("desk:categories", slug=supplier.slug)
    context = {
        "form": form,
        "categories": supplier.categories.annotate(count=Count("products")).order_by("position", "name"),
        "without": supplier.products.filter(category=None).count(),
    }
    return render(request, "desk/products/categories.html", context)


@member(Doing.TRADE)
def edit(request: DeskRequest, supplier: Supplier, pk: int) -> HttpResponse:
    """Rename one."""
    category = get_object_or_404(supplier.categories, pk=pk)
    form = CategoryForm.of(request, category)
    if _save(request, form):
        return redirect("desk:categories", slug=supplier.slug)
    return render(request, "desk/products/category_form.html", {"form": form, "name": category.name})


@member(Doing.TRADE)
@require_POST
def move(request: DeskRequest, supplier: Supplier, pk: int) -> HttpResponse:
    """Put one before its neighbour (`to=up`) or after it."""
    get_object_or_404(supplier.categories, pk=pk)
    order = list(supplier.categories.values_list("pk", flat=True))
    here = order.index(pk)
    there = max(here - 1, 0) if request.POST.get("to") == "up" else min(here + 1, len(order) - 1)
    order.insert(there, order.pop(here))
    actions.order_categories(supplier, order)
    return redirect("desk:categories", slug=supplier.slug)


@member(Doing.TRADE)
def delete(request: DeskRequest, supplier: Supplier, pk: int) -> HttpResponse:
    """Ask, saying what becomes of its products; then delete it."""
    category = get_object_or_404(supplier.categories, pk=pk)
    if request.method == "POST":
        actions.delete_category(category, by=request.user)
        messages.success(request, f"The category {category} is deleted.")
        return redirect("desk:categories", slug=supplier.slug)
    context = {"category": category, "count": category.products.count()}
    return render(request, "desk/products/category_delete.html", context)
