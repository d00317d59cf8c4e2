"""`./run reference`: write what is generated into its places in the documentation. The suite fails until it is done."""

from reference.pages import DOCS, drifted


def main() -> None:
    """Write the pages that are not as they should be, and say which."""
    for page, text in drifted().items():
        page.write_text(text)
        print(page.relative_to(DOCS.parent))


if __name__ == "__main__":
    main()
