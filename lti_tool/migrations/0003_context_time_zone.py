from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("lti_tool", "0002_context_ends_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="context",
            name="time_zone",
            field=models.CharField(
                blank=True, help_text="The course's, as Canvas last said it (America/Denver).", max_length=64
            ),
        ),
    ]
