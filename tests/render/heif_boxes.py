"""HEIF files of more than one image, as cameras write them (ISO 14496-12, 23008-12): made of such as hold one.

libheif's encoder, which render_tool's "make" asks, writes one image and no turning; phones write a picture, its
thumbnail, sometimes a second picture, and say how to turn what they hold.
"""
import struct


def boxes(data):
    """(type, content) of each box."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        size = size or len(data) - at
        yield kind, data[at + 8:at + size]
        at += size


def find(data, *path):
    for kind, content in boxes(data):
        if kind == path[0]:
            return find(content, *path[1:]) if len(path) > 1 else content
    raise KeyError(path[0])


def first_item(file, iloc):
    """What iloc (version 0) says of the first item, which has one extent. Others may be metadata."""
    sizes = [iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4]  # of an offset, a length, a base
    at = 8 + 4
    words = []
    for size in (sizes[2], 2, sizes[0], sizes[1]):
        words.append(int.from_bytes(iloc[at:at + size], "big"))
        at += size
    base, extents, offset, length = words
    assert iloc[0] == 0 and extents == 1
    return file[base + offset:base + offset + length]


def box(kind, *content):
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def full(kind, version, flags, *content):
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


class Image:
    """The coded bytes of a file's only image, and the properties that they need."""

    def __init__(self, file):
        meta = find(file, b"meta")[4:]
        wanted = (b"hvcC", b"av1C", b"ispe", b"pixi", b"colr")
        self.properties = [box(kind, content) for kind, content in boxes(find(meta, b"iprp", b"ipco")) if kind in wanted]
        self.coding = b"hvc1" if any(one[4:8] == b"hvcC" for one in self.properties) else b"av01"
        self.data = first_item(file, find(meta, b"iloc"))


def turned(quarters):
    """irot: so many quarters of a turn against the clock."""
    return box(b"irot", bytes([quarters]))


def mirrored(axis):
    """imir: 0 upside down, 1 left to right."""
    return box(b"imir", bytes([axis]))


def cropped(width, height):
    """clap: the middle of so many pixels."""
    return box(b"clap", struct.pack(">8I", width, 1, height, 1, 0, 1, 0, 1))


def file(*images, primary=0, thumbnails=(), hidden=()):
    """images: (Image, further properties); thumbnails: (number of the small one, of the large one); hidden: numbers of
    those that are not to be shown."""
    def build(start):
        infos, places, links, store, associations, at = [], [], [], [], [], start
        for number, (image, more) in enumerate(images):
            infos.append(full(b"infe", 2, number in hidden, struct.pack(">HH", number + 1, 0), image.coding, b"\0"))
            places.append(struct.pack(">HHHII", number + 1, 0, 1, at, len(image.data)))
            at += len(image.data)
            mine = list(image.properties) + list(more)
            first = len(store) + 1
            store += mine
            # A turn or a crop is essential: whoever does not know it must not show the picture.
            essential = [0x80 if one[4:8] in (b"hvcC", b"av1C", b"irot", b"imir", b"clap") else 0 for one in mine]
            associations.append(struct.pack(">HB", number + 1, len(mine)) + bytes(
                first + i | essential[i] for i in range(len(mine))))
        for small, large in thumbnails:
            links.append(box(b"thmb", struct.pack(">HHH", small + 1, 1, large + 1)))
        meta = full(
            b"meta", 0, 0, full(b"hdlr", 0, 0, b"\0" * 4 + b"pict" + b"\0" * 13), full(b"pitm", 0, 0, struct.pack(">H", primary + 1)),
            full(b"iloc", 0, 0, struct.pack(">BBH", 0x44, 0, len(images)), *places),
            full(b"iinf", 0, 0, struct.pack(">H", len(images)), *infos), *([full(b"iref", 0, 0, *links)] if links else []),
            box(b"iprp", box(b"ipco", *store), full(b"ipma", 0, 0, struct.pack(">I", len(images)), *associations)))
        brand = b"heic" if images[0][0].coding == b"hvc1" else b"avif"
        head = box(b"ftyp", brand, b"\0" * 4, b"mif1", brand) + meta
        return head, head + box(b"mdat", *(image.data for image, _ in images))
    head, _ = build(0)
    return build(len(head) + 8)[1]
