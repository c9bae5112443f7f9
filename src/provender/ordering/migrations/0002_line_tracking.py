from django.db import migrations, models


def nothing_on_placed_ones(apps, _editor):
    """Lines that were placed before there were options carry none; only drafts choose them yet."""
    apps.get_model("ordering", "OrderLine").objects.exclude(order__status="draft").update(tracking=[])


class Migration(migrations.Migration):
    dependencies = [("ordering", "0001_initial")]

    operations = [
        migrations.AddField(model_name="orderline", name="tracking", field=models.JSONField(null=True)),
        migrations.RunPython(nothing_on_placed_ones, migrations.RunPython.noop),
    ]
