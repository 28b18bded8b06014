import django.db.models.deletion
from django.db import migrations, models

from audit.schema import tenant_policy


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0001_initial"),
        ("syncs", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Holiday",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("name", models.TextField(blank=True)),
            ],
            options={
                "ordering": ("tenant", "day"),
            },
        ),
        migrations.CreateModel(
            name="Replay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_by", models.TextField()),
                ("why", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("after_id", models.BigIntegerField(default=0)),
                ("up_to_id", models.BigIntegerField()),
                ("records", models.IntegerField()),
                ("money", models.JSONField(default=dict)),
                ("done", models.IntegerField(default=0)),
                ("ended_at", models.DateTimeField(null=True)),
                ("stopped_by", models.TextField(blank=True, default="")),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="ScheduleRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule", models.JSONField()),
                ("since", models.DateTimeField()),
                ("changed_by", models.TextField()),
                ("why", models.TextField()),
            ],
            options={
                "verbose_name": "schedule",
                "db_table": "syncs_schedule",
            },
        ),
        migrations.AddField(
            model_name="feed",
            name="paused_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="feed",
            name="paused_by",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="feed",
            name="paused_why",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="stream",
            name="paused_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="stream",
            name="paused_by",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="stream",
            name="paused_why",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="syncrecord",
            name="scheduled_for",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="expected",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="sweep",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="under_way",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["ended_at"], name="syncs_syncr_ended_a_3bd841_idx"),
        ),
        migrations.AddConstraint(
            model_name="syncrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("feed__isnull", False), ("under_way", True)),
                fields=("tenant", "feed", "sweep"),
                name="one_run_of_a_feed_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="syncrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stream__isnull", False), ("under_way", True)),
                fields=("tenant", "stream"),
                name="one_run_of_a_stream_under_way",
            ),
        ),
        migrations.AddField(
            model_name="holiday",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="holidays", to="connectors.tenant"
            ),
        ),
        migrations.AddField(
            model_name="replay",
            name="problem",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="replays", to="syncs.problem"
            ),
        ),
        migrations.AddField(
            model_name="replay",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="connectors.tenant"
            ),
        ),
        migrations.AddField(
            model_name="schedulerow",
            name="feed",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="schedule", to="syncs.feed"
            ),
        ),
        migrations.AddField(
            model_name="schedulerow",
            name="stream",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="schedule", to="syncs.stream"
            ),
        ),
        migrations.AddField(
            model_name="schedulerow",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="schedules", to="connectors.tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="holiday",
            constraint=models.UniqueConstraint(fields=("tenant", "day"), name="one_holiday_of_a_day"),
        ),
        migrations.AddIndex(
            model_name="replay",
            index=models.Index(condition=models.Q(("ended_at", None)), fields=["due_at"], name="replay_due"),
        ),
        migrations.AddConstraint(
            model_name="replay",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("tenant", "problem"),
                name="one_replay_of_a_problem_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedulerow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("feed", None), ("stream__isnull", False)),
                    models.Q(("feed__isnull", False), ("stream", None)),
                    _connector="OR",
                ),
                name="schedule_of_a_feed_or_a_stream",
            ),
        ),
    ]


Migration.operations += [
    operation for name in ("schedule", "holiday", "replay") for operation in tenant_policy(f"syncs_{name}")
]
