"""The walls between tenants, tried with many thousand calls: who, by which key, on which route, with whose ids."""
