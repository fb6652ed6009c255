"""How a correction replaces a function of the package."""


def replace(module, name, wanted):
    """Replaces `module.name` by `wanted`, and returns the original.

    A missing name is an error: if a correction silently had no effect, the emulator would be wrong and every test that relies on it would
    still pass.
    """
    found = getattr(module, name, None)
    if not callable(found):
        raise RuntimeError(f"{module.__name__} has no function {name}: this is not the pinned ministack")
    setattr(module, name, wanted)
    return found
