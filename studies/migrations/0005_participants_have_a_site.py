import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("studies", "0004_people_belong_to_sites")]

    operations = [
        migrations.AlterField(
            model_name="participant",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="participants",
                to="studies.site",
                verbose_name="site",
            ),
        ),
    ]
