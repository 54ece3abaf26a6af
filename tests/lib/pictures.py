"""Small pictures for messages, made the same way each time, and Pillow's view of what came back."""

import base64
import functools
import io

import numpy
from PIL import Image


@functools.lru_cache(maxsize=None)
def array(width=32, height=24, bands=3, seed=1):
    """A uint8 array with some structure: gradients and a little noise."""
    random = numpy.random.RandomState(seed)
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [(x * 255 // max(1, width - 1)), (y * 255 // max(1, height - 1)), ((x + y) * 7) % 256,
              128 + (x * 127 // max(1, width - 1))]
    stacked = numpy.stack(planes[:bands], axis=-1) + random.randint(0, 3, (height, width, bands))
    result = numpy.clip(stacked, 0, 255).astype(numpy.uint8)
    return result[:, :, 0] if bands == 1 else result


def encode(pixels, kind="PNG", **options):
    buffer = io.BytesIO()
    mode = {2: "L", 3: {2: "LA", 3: "RGB", 4: "RGBA"}.get(pixels.shape[-1])}[pixels.ndim]
    Image.fromarray(pixels, mode).save(buffer, kind, **options)
    return buffer.getvalue()


@functools.lru_cache(maxsize=None)
def png(width=32, height=24, bands=3, seed=1):
    return encode(array(width, height, bands, seed), "PNG")


@functools.lru_cache(maxsize=None)
def jpeg(width=32, height=24, seed=1):
    return encode(array(width, height, 3, seed), "JPEG", quality=85)


@functools.lru_cache(maxsize=None)
def gif(width=32, height=24, seed=1):
    return encode(array(width, height, 1, seed), "GIF")


@functools.lru_cache(maxsize=None)
def webp(width=32, height=24, seed=1):
    return encode(array(width, height, 3, seed), "WEBP", lossless=True)


@functools.lru_cache(maxsize=None)
def tiff(width=32, height=24, seed=1):
    return encode(array(width, height, 3, seed), "TIFF")


def npy(pixels):
    buffer = io.BytesIO()
    numpy.save(buffer, pixels)
    return buffer.getvalue()


def data_uri(picture, kind="image/png"):
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"


def pixels(encoded):
    """The pixels of an encoded picture as an array of its own mode (palette resolved)."""
    with Image.open(io.BytesIO(encoded)) as image:
        image.load()
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        return numpy.asarray(image)
