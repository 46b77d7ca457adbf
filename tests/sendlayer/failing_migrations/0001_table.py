from django.db import migrations


class Migration(migrations.Migration):
    operations = [migrations.RunSQL("CREATE TABLE half_way (id integer)", "DROP TABLE half_way")]
