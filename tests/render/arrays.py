"""Arrays of every kind that a program can hold, and what a picture of each has to look like.

cases() yields Case objects: a media type with parameters and payload bytes, as a sender would attach them, and
judge(image), which compares what came back (opened by Pillow) with what numpy says. Nothing here knows how the
payload travels: matrix_test.py hands it to the renderer, a mail test may put it through whole messages.

The reference is written after matplotlib (Normalize and Colormap, their types included) and the table of
DESIGN.md section 3, not after our own code.
"""
import io
import itertools
import os
import re

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))

DTYPES = ["b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]
RAW_FORMATS = {"uchar": "u1", "char": "i1", "ushort": "u2", "short": "i2", "uint": "u4", "int": "i4",
               "float": "f4", "double": "f8"}
COLORMAPS = ["gray", "viridis", "magma", "inferno", "plasma", "cividis", "turbo"]


def colormap_tables():
    """name -> (256, 3) uint8, from the committed witness of the published tables."""
    text = open(os.path.join(HERE, "..", "unit", "render", "colormap_published.h")).read()
    tables = {}
    for name, body in re.findall(r"kPublished_(\w+)\[\] =(.*?);", text, re.S):
        digits = "".join(re.findall(r'"([0-9a-f]+)"', body))
        tables[name] = np.frombuffer(bytes.fromhex(digits), np.uint8).reshape(256, 3)
    return tables


TABLES = colormap_tables()


class Case:
    def __init__(self, name, media_type, parameters, payload, judge, filename="pixels"):
        self.name = name
        self.media_type = media_type
        self.parameters = parameters  # dict of strings
        self.payload = payload
        self.judge = judge            # PIL.Image -> None, or what is wrong with it
        self.filename = filename


# ---- the reference ------------------------------------------------------------------------------------------

def frames_of(array):
    """Any shape that is served, as frames x height x width x bands."""
    if array.ndim == 2:
        return array[None, :, :, None]
    if array.ndim == 3:
        return array[None] if array.shape[2] <= 4 else array[..., None]
    return array


def full_scale(dtype):
    if dtype.kind in "fb":
        return 0.0, 1.0
    info = np.iinfo(dtype)
    return float(info.min), float(info.max)


def usual_scale(dtype):
    return (0.0, 1.0) if dtype.kind == "f" else (0.0, 255.0)


def scale_of(colours, how, dtype, bands):
    finite = colours[np.isfinite(colours)] if dtype.kind == "f" else colours.ravel()
    ends = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if how is None:
        if dtype.kind != "f" and dtype.itemsize <= 2:
            return full_scale(dtype)
        low, high = usual_scale(dtype)
        if bands == 1 or not (ends[0] >= low and ends[1] <= high):
            return ends
        return low, high
    if how == "auto":
        return ends
    if how == "full":
        return full_scale(dtype)
    parts = how.split(",")
    if parts[0].startswith("p"):
        return tuple(float(v) for v in np.percentile(finite.astype(np.float64), [float(p[1:]) for p in parts]))
    return float(parts[0]), float(parts[1])


def normalize(values, scale, real, above_flat=0.0):
    """0..1 in the arithmetic of the type that matplotlib would use; NaN stays. above_flat: what lies above a scale
    without width becomes; Normalize fills with 0."""
    low, high = scale
    if not high > low:
        return np.where(np.isnan(values), np.nan, np.where(values > high, above_flat, 0.0)).astype(real)
    with np.errstate(all="ignore"):
        if np.isfinite(real(high - low)):
            x = (values.astype(real) - real(low)) / real(high - low)
        else:  # the difference passes the greatest number
            x = (values.astype(real) / 2 - real(low / 2)) / real(high / 2 - low / 2)
        return np.clip(x, 0, 1)


def expected(array, colormap=None, how=None):
    """RGBA levels (frames, height, width, 4) as floats before rounding, and how far off is still right."""
    data = frames_of(array)
    dtype = data.dtype.newbyteorder("=")
    data = data.astype(dtype)
    bands = data.shape[3]
    has_alpha = bands in (2, 4)
    colours = data[..., :bands - has_alpha]
    scale = scale_of(colours, how, dtype, bands)
    real = np.float32 if dtype.itemsize <= 2 or dtype == np.float32 else np.float64
    x = normalize(colours.astype(np.float64) if dtype.kind != "f" else colours, scale, real)
    nan = np.isnan(x).any(axis=3)
    one_colour = colours.shape[3] == 1
    if colormap is None and bands == 1 and (dtype.kind == "f" or dtype.itemsize > 2):
        colormap = "viridis"
    out = np.zeros(data.shape[:3] + (4,), np.float64)
    if one_colour and colormap is not None:
        with np.errstate(invalid="ignore"):
            index = np.minimum(x[..., 0] * real(256), 255)
        index = np.where(nan, 0, index).astype(int)
        out[..., :3] = TABLES[colormap][index]
    else:
        out[..., :3] = np.where(nan[..., None], 0, x) * 255
    out[..., 3] = 255
    if has_alpha:
        alpha = data[..., -1]
        limits = full_scale(dtype) if dtype.kind != "f" and dtype.itemsize <= 2 else usual_scale(dtype)
        finite = alpha[np.isfinite(alpha)] if dtype.kind == "f" else alpha.ravel()
        if dtype.itemsize > 2 or dtype.kind == "f":
            if finite.size and not (finite.min() >= limits[0] and finite.max() <= limits[1]):
                limits = scale
        a = normalize(alpha.astype(np.float64) if dtype.kind != "f" else alpha, limits, real, 1.0)
        out[..., 3] = np.where(np.isnan(a), 0, a) * 255
    out[nan] = 0
    exact = (how is None and (dtype == np.uint8 or dtype.kind == "b")) or (one_colour and colormap is not None and not has_alpha)
    # The nearest level, give or take what the arithmetic of 32 bit floats loses.
    return out, 0.001 if exact else 0.51


def frames_in(image):
    """The frames of a picture, as Pillow composes them, in RGBA."""
    frames = []
    for i in range(getattr(image, "n_frames", 1)):
        image.seek(i)
        frames.append(np.asarray(image.convert("RGBA")).astype(np.int64))
    return np.stack(frames)


def compare(image, levels, tolerance):
    count = levels.shape[0]
    if image.format != ("GIF" if count > 1 else "PNG"):
        return "came as " + str(image.format)
    got = frames_in(image)
    if got.shape != levels.shape:
        return "has shape %s, not %s" % (got.shape, levels.shape)
    if image.format == "GIF":
        opaque = levels[..., 3] >= 127.5
        if not np.array_equal(got[..., 3] == 255, opaque) or not np.isin(got[..., 3], (0, 255)).all():
            return "transparency differs in %d pixels" % (got[..., 3] // 255 != opaque).sum()
        off = np.abs(got[..., :3] - levels[..., :3])[opaque]
    else:
        off = np.abs(got - levels)
    worst = off.max() if off.size else 0
    if worst > tolerance:
        at = np.argwhere(np.abs(got - levels) == worst)
        at = tuple(at[0]) if len(at) else None
        return "is off by %.2f at %s: %s, not %s" % (worst, at, got[at[:3]] if at else "", levels[at[:3]] if at else "")
    return None


def judge_of(array, colormap=None, how=None, fps=None):
    def judge(image):
        levels, tolerance = expected(array, colormap, how)
        wrong = compare(image, levels, tolerance)
        if wrong or levels.shape[0] == 1:
            return wrong
        durations = []
        for i in range(image.n_frames):
            image.seek(i)
            durations.append(image.info["duration"])
        wanted = 1000 / (fps or 10) * levels.shape[0]
        if abs(sum(durations) - wanted) > 10:
            return "runs %s ms, not %g" % (durations, wanted)
        return None
    return judge


# ---- arrays -------------------------------------------------------------------------------------------------

def make_array(rng, dtype, shape, special=False):
    """Values that use the type's whole width, or what pictures of that type hold; special: NaN and infinities."""
    dtype = np.dtype(dtype)
    bands = shape[-1] if len(shape) == 4 or (len(shape) == 3 and shape[-1] <= 4) else 1
    animated = len(shape) == 4 or (len(shape) == 3 and shape[-1] > 4)
    if dtype.kind == "b":
        a = rng.integers(0, 2, shape).astype(bool)
    elif dtype.kind in "iu" and dtype.itemsize <= 2:
        info = np.iinfo(dtype)
        a = rng.integers(info.min, int(info.max) + 1, shape).astype(dtype)
        a.flat[0], a.flat[1] = info.min, info.max
    elif dtype.kind in "iu":
        if bands > 1:
            a = rng.integers(0, 256, shape).astype(dtype)
        else:
            info = np.iinfo(dtype)
            a = rng.integers(max(info.min, -2**40), min(int(info.max), 2**40), shape).astype(dtype)
    elif bands > 1:
        a = rng.random(shape).astype(dtype)
    else:
        a = (rng.standard_normal(shape) * 50).astype(dtype)
    if special and dtype.kind == "f":
        for value in (np.nan, np.inf, -np.inf):
            a.flat[rng.integers(0, a.size, max(1, a.size // 20))] = value
    if animated and bands in (2, 4):
        # GIF knows no half transparency.
        low, high = (0, 1) if dtype.kind in "fb" else (0, 255) if dtype.itemsize > 2 else full_scale(dtype)
        a[..., -1] = np.where(rng.random(shape[:-1]) < 0.5, low, high).astype(dtype)
    return a


SHAPES = [(9, 11), (9, 11, 1), (9, 11, 2), (9, 11, 3), (9, 11, 4),
          (3, 7, 9), (3, 7, 9, 1), (3, 7, 9, 2), (3, 7, 9, 3), (3, 7, 9, 4)]


def npy_bytes(array, fortran=False, version=(1, 0)):
    array = np.asfortranarray(array) if fortran else np.ascontiguousarray(array)
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def npy_cases(rng):
    versions = itertools.cycle([(1, 0), (2, 0), (3, 0)])
    for dtype, shape, fortran in itertools.product(DTYPES, SHAPES, (False, True)):
        orders = "<>" if np.dtype(dtype).itemsize > 1 else "|"
        for order in orders:
            array = make_array(rng, dtype, shape, special=fortran).astype(order + dtype)
            version = next(versions)
            yield Case("npy %s%s %s %s v%d" % (order, dtype, "x".join(map(str, shape)), "F" if fortran else "C", version[0]),
                       "application/x-npy", {}, npy_bytes(array, fortran, version), judge_of(array), "frame.npy")
    # Large enough that tables are used where small ones compute each sample.
    for dtype in DTYPES:
        array = make_array(rng, dtype, (150, 101, 3), special=True).astype(">" + dtype)
        yield Case("npy large %s" % dtype, "application/x-npy", {}, npy_bytes(array, True), judge_of(array), "frame.npy")


def raw_cases(rng):
    for (name, dtype), bands, planar in itertools.product(RAW_FORMATS.items(), (1, 2, 3, 4), (False, True)):
        for endian in ("little", "big") if np.dtype(dtype).itemsize > 1 else ("little",):
            array = make_array(rng, dtype, (8, 13, bands), special=planar)
            stored = array.astype((">" if endian == "big" else "<") + dtype)
            payload = (stored.transpose(2, 0, 1) if planar else stored).tobytes()
            parameters = {"width": "13", "height": "8", "bands": str(bands), "format": name}
            if endian == "big" or rng.random() < 0.5:
                parameters["endian"] = endian
            if planar or rng.random() < 0.5:
                parameters["layout"] = "planar" if planar else "interleaved"
            parameters = dict(rng.permutation(list(parameters.items())))
            yield Case("raw %s %s %d bands %s" % (name, endian, bands, "planar" if planar else "interleaved"),
                       "image/x-raw-pixels", parameters, payload, judge_of(array))


def coloured_cases(rng):
    ranges = ["auto", "full", "20,70", "-5.5,1e2", "p2,p98", "p0,p100", "p10,p50.5"]
    for dtype, how in itertools.product(DTYPES, ranges):
        special = dtype.startswith("f")
        array = make_array(rng, dtype, (12, 17), special)
        colormap = COLORMAPS[rng.integers(0, len(COLORMAPS))]
        yield Case("range=%s of %s in %s" % (how, dtype, colormap), "application/x-npy",
                   {"range": how, "colormap": colormap}, npy_bytes(array), judge_of(array, colormap, how))
        array = make_array(rng, dtype, (12, 17, 3), special)
        yield Case("range=%s of %s RGB" % (how, dtype), "application/x-npy", {"range": how}, npy_bytes(array),
                   judge_of(array, None, how))
        array = make_array(rng, dtype, (12, 17))
        yield Case("range=%s of %s" % (how, dtype), "application/x-npy", {"Range": how}, npy_bytes(array),
                   judge_of(array, None, how))
    for colormap in COLORMAPS:
        ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
        yield Case("all of " + colormap, "application/x-npy", {"colormap": colormap.upper()}, npy_bytes(ramp),
                   judge_of(ramp, colormap))
        field = np.linspace(-3, 7, 32 * 32).reshape(32, 32)
        yield Case("a ramp in " + colormap, "application/x-npy", {"colormap": colormap}, npy_bytes(field),
                   judge_of(field, colormap))


def odd_cases(rng):
    """Constant fields, no finite value, extremes, one pixel, values that do not fit what their type usually holds."""
    nan, inf = np.nan, np.inf
    arrays = {
        "constant": np.full((4, 5), 3.25), "constant with inf": np.array([[2, 2, inf], [2, -inf, nan]]),
        "all NaN": np.full((4, 5), nan), "only infinities": np.array([[inf, -inf], [inf, nan]], np.float32),
        "greatest doubles": np.array([[-1.7e308, 1.7e308, 0]]), "greatest floats": np.array([[-3.4e38, 3.4e38, 0]], np.float32),
        "least doubles": np.array([[5e-324, 0, 1e-323]]), "halves": np.arange(0, 65536, 7, dtype=np.uint16).view(np.float16)[:9360].reshape(72, -1),
        "constant uint64": np.full((3, 3), 2**64 - 1, np.uint64), "constant RGB": np.full((3, 3, 3), 7.0),
        "RGB to 255": rng.random((5, 6, 3)) * 255, "RGBA to 255": np.dstack([rng.random((5, 6, 3)) * 255, rng.random((5, 6))]),
        "RGB with NaN": np.where(rng.random((9, 9, 3)) < 0.1, nan, rng.random((9, 9, 3))),
        "int64 RGB over 255": rng.integers(-100, 1000, (5, 6, 3)), "one pixel": np.array([[1.5]]),
        "one byte": np.array([[[1, 2, 3, 0]]], np.uint8), "mask of ones": np.ones((4, 4), bool),
        "transparent colours": np.dstack([rng.integers(0, 256, (6, 6, 3)), np.zeros((6, 6), int)]).astype(np.uint8),
        "wide": rng.integers(0, 256, (1, 3000, 3), dtype=np.uint8), "high": rng.integers(0, 256, (3000, 1), dtype=np.uint8),
        "256 colours": np.stack([np.arange(256)] * 3, -1).reshape(16, 16, 3).astype(np.uint8)[..., ::-1].repeat(9, 0),
        "257 colours": np.concatenate([np.stack([np.arange(256), np.zeros(256), np.zeros(256)], -1), [[1, 2, 3]]])[None].repeat(40, 0).astype(np.uint8),
        "late colours": np.concatenate([np.zeros((300, 20, 4)), rng.integers(0, 256, (100, 20, 4))]).astype(np.uint8),
    }
    for name, array in arrays.items():
        yield Case(name, "application/x-npy", {}, npy_bytes(array), judge_of(array))
    movie = make_array(rng, "u1", (7, 6, 5))
    for fps in ("1", "12.5", "30", "50"):
        yield Case("fps=" + fps, "application/x-npy", {"fps": fps}, npy_bytes(movie), judge_of(movie, fps=float(fps)))


def cases(seed=4):
    rng = np.random.default_rng(seed)
    yield from npy_cases(rng)
    yield from raw_cases(rng)
    yield from coloured_cases(rng)
    yield from odd_cases(rng)
