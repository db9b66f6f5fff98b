import uuid

from flow2api.simulator.ids import PICTURE, UPLOADED, VIDEO, media_name, new_uuid, operation_name


def test_ids_of_the_seed_era_are_opaque_with_the_prefix_of_their_kind() -> None:
    key, project = new_uuid(), new_uuid()
    assert media_name("seed", UPLOADED, project, key).startswith("CAMa")
    assert media_name("seed", PICTURE, project, key).startswith("CAMS")
    assert media_name("seed", VIDEO, project, key).startswith("CAUS")


def test_later_ids_are_bare_uuids() -> None:
    key = new_uuid()
    assert media_name("2026-06", VIDEO, new_uuid(), key) == key
    assert uuid.UUID(key).version == 4


def test_operation_names_are_hex_at_first_and_the_medias_later() -> None:
    assert len(bytes.fromhex(operation_name("seed", "key"))) == 16
    assert operation_name("2026-06", "key") == "key"
