"""mem0 platform: a project and its settings on the wire. Each project is an organisation of its own."""

from __future__ import annotations

from typing import Any

from api.dialects.mem0_bodies import ProjectBody
from shared.db.projects import Project
from shared.errors import BadRequest

EMAIL = "owner@flumes.invalid"  # keys belong to projects, not to people; some clients want an address
_KEPT = ("agent_custom_instructions", "description", "multilingual", "decay", "enable_graph", "memory_depth",
         "usecase_setting", "version")  # fmt: skip


def organisation(project: Project) -> dict[str, Any]:
    """The organisation of a project."""
    return {"org_id": str(project.id), "name": project.name, "description": None, "members": []}


def project(found: Project) -> dict[str, Any]:
    """The whole project."""
    settings = found.settings
    kept = settings.get("mem0") or {}
    return {
        "id": str(found.id),
        "project_id": str(found.id),
        "org_id": str(found.id),
        "name": kept.get("name") or found.name,
        "custom_instructions": settings.get("instructions") or None,
        "custom_categories": kept.get("custom_categories") or list(settings.get("categories") or ()) or None,
        **{name: kept.get(name) for name in _KEPT},
        "members": [{"email": email, "role": role} for email, role in sorted((settings.get("members") or {}).items())],
    }


def settings(body: dict[str, Any], given: ProjectBody) -> dict[str, Any]:
    """What a PATCH changes in the project's settings; what the body does not name stays.

    The client of the platform sends names it does not set as absent; an explicit null clears.
    """
    changed: dict[str, Any] = {}
    kept: dict[str, Any] = {name: getattr(given, name) for name in (*_KEPT, "name") if name in body}
    if "custom_instructions" in body:
        changed["instructions"] = given.custom_instructions
    if "custom_categories" in body:
        changed["categories"] = _names(given.custom_categories)
        kept["custom_categories"] = given.custom_categories
    return changed | ({"mem0": kept} if kept else {})


def _names(categories: list[dict[str, Any] | str] | None) -> list[str] | None:
    if categories is None:
        return None
    names = [name for item in categories for name in (item if isinstance(item, dict) else [item])]
    wrong = next((name for name in names if not 1 <= len(name) <= 100), None)
    if wrong is not None:
        raise BadRequest("the name of a category has 1 to 100 characters", field="custom_categories")
    return names
