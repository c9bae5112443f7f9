from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "provender.desk"
    label = "desk"
