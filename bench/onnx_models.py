"""Networks with random weights as ONNX files: onnx_models.py FOLDER (--missing | --further | --list | NAME...); see
make-onnx-models."""

import math
import os
import sys

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

torch.backends.mha.set_fastpath_enabled(False)  # the fused layer has no ONNX form
MODELS = {}
FURTHER = {}  # written where they are asked for: docs/onnx-networks.md


def model(name, into=MODELS, **options):
    """Registers a function that gives a module and the arguments to export it with."""

    def register(build):
        into[name] = (build, options)
        return build

    return register


def settle(module, *shape):
    """Gives batch normalizations the statistics of random images, so that activations neither vanish nor explode."""
    for norm in module.modules():
        if isinstance(norm, (nn.BatchNorm2d, nn.BatchNorm3d)):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, 0, 0.1)
    module.train()
    with torch.no_grad():
        for _ in range(3):
            module(torch.randn(max(2, shape[0]), *shape[1:]))
    return module.eval()


def vision(name, size=224, **arguments):
    net = settle(getattr(torchvision.models, name)(weights=None, **arguments), 2, 3, size, size)
    return net, (torch.randn(1, 3, size, size),)


IMAGES = dict(inputs=["input"], outputs=["output"], dynamic={"input": {0: "batch"}, "output": {0: "batch"}})
SIZED = dict(
    inputs=["input"],
    outputs=["output"],
    dynamic={"input": {0: "batch", 2: "height", 3: "width"}, "output": {0: "batch"}},
)


@model("resnet18", **IMAGES)
def resnet18():
    return vision("resnet18")


class ResidualBlock(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.shortcut = None
        if stride != 1 or channels != filters:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + (x if self.shortcut is None else self.shortcut(x)))


@model("resnet18-32", **IMAGES)
def resnet18_32():
    """ResNet-18 as it is used on images of 32 x 32: a 3 x 3 stem, no pooling behind it."""
    layers, channels = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()], 64
    for stage in range(4):
        filters = 64 << stage
        layers += [ResidualBlock(channels, filters, 1 if stage == 0 else 2), ResidualBlock(filters, filters, 1)]
        channels = filters
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)]
    return settle(nn.Sequential(*layers), 2, 3, 32, 32), (torch.randn(1, 3, 32, 32),)


@model("mobilenetv2", **IMAGES)
def mobilenetv2():
    return vision("mobilenet_v2")


@model("squeezenet", **IMAGES)
def squeezenet():
    return vision("squeezenet1_1")


class SelfAttention(nn.Module):
    """Attention written out, as older code does it."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)

    def split(self, x):
        return x.view(x.size(0), x.size(1), self.heads, x.size(2) // self.heads).permute(0, 2, 1, 3)

    def forward(self, x, mask=None, memory=None):
        memory = x if memory is None else memory
        q, k, v = self.split(self.query(x)), self.split(self.key(memory)), self.split(self.value(memory))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.size(-1))
        if mask is not None:
            scores = scores + mask
        y = scores.softmax(-1) @ v
        return self.out(y.permute(0, 2, 1, 3).reshape(x.size(0), x.size(1), x.size(2)))


class Bert(nn.Module):
    def __init__(self, vocabulary=30522, width=128, layers=2, heads=2, positions=512):
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(positions, width)
        self.types = nn.Embedding(2, width)
        self.register_buffer("ids", torch.arange(positions).unsqueeze(0))
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList()
        for _ in range(layers):
            self.layers.append(nn.ModuleDict(dict(
                attention=SelfAttention(width, heads), norm1=nn.LayerNorm(width, eps=1e-12),
                up=nn.Linear(width, 4 * width), down=nn.Linear(4 * width, width), norm2=nn.LayerNorm(width, eps=1e-12))))
        self.pool = nn.Linear(width, width)

    def forward(self, input_ids, attention_mask, token_type_ids):
        mask = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * torch.finfo(torch.float32).min
        x = self.words(input_ids) + self.types(token_type_ids) + self.places(self.ids[:, : input_ids.size(1)])
        x = self.norm(x)
        for layer in self.layers:
            x = layer["norm1"](x + layer["attention"](x, mask))
            x = layer["norm2"](x + layer["down"](F.gelu(layer["up"](x))))
        return x, torch.tanh(self.pool(x[:, 0]))


BERT = dict(
    inputs=["input_ids", "attention_mask", "token_type_ids"],
    outputs=["last_hidden_state", "pooler_output"],
    dynamic={name: {0: "batch", 1: "length"} for name in
             ["input_ids", "attention_mask", "token_type_ids", "last_hidden_state"]} | {"pooler_output": {0: "batch"}})


def bert_inputs(batch=2, length=16):
    mask = torch.ones(batch, length, dtype=torch.int64)
    mask[-1, length * 3 // 4:] = 0
    return torch.randint(0, 30522, (batch, length)), mask, torch.zeros(batch, length, dtype=torch.int64)


@model("bert-tiny", **BERT)
def bert_tiny():
    return Bert().eval(), bert_inputs()


class Gpt(nn.Module):
    def __init__(self, vocabulary=65, width=256, layers=4, heads=4, positions=128):
        super().__init__()
        self.heads = heads
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(positions, width)
        self.layers = nn.ModuleList(
            nn.ModuleDict(dict(
                norm1=nn.LayerNorm(width), packed=nn.Linear(width, 3 * width, bias=False), out=nn.Linear(width, width),
                norm2=nn.LayerNorm(width), up=nn.Linear(width, 4 * width), down=nn.Linear(4 * width, width)))
            for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, ids):
        batch, time = ids.shape
        x = self.tokens(ids) + self.places(torch.arange(time, device=ids.device))
        for layer in self.layers:
            parts = layer["packed"](layer["norm1"](x)).view(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            y = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
            x = x + layer["out"](y.transpose(1, 2).reshape(batch, time, -1))
            x = x + layer["down"](F.gelu(layer["up"](layer["norm2"](x))))
        return self.head(self.norm(x))


@model("gpt", inputs=["ids"], outputs=["logits"],
       dynamic={"ids": {0: "batch", 1: "time"}, "logits": {0: "batch", 1: "time"}})
def gpt():
    return Gpt().eval(), (torch.randint(0, 65, (2, 32)),)


class Lstm(nn.Module):
    def __init__(self, features=128, units=256, classes=10, **arguments):
        super().__init__()
        self.lstm = nn.LSTM(features, units, batch_first=True, **arguments)
        self.head = nn.Linear(units * (2 if self.lstm.bidirectional else 1), classes)

    def forward(self, x):
        y, (last, _) = self.lstm(x)
        return self.head(y) if self.lstm.bidirectional else self.head(last[-1])


@model("lstm", inputs=["input"], outputs=["output"], dynamic={"input": {0: "batch", 1: "time"}, "output": {0: "batch"}})
def lstm():
    return Lstm().eval(), (torch.randn(2, 64, 128),)


@model("bilstm", inputs=["input"], outputs=["output"],
       dynamic={"input": {0: "batch", 1: "time"}, "output": {0: "batch", 1: "time"}})
def bilstm():
    return Lstm(40, 64, 10, num_layers=2, bidirectional=True).eval(), (torch.randn(2, 23, 40),)


@model("resnet50", fold=False, **IMAGES)
def resnet50():
    return vision("resnet50")


@model("mobilenetv3", **IMAGES)
def mobilenetv3():
    return vision("mobilenet_v3_small")


@model("mobilenetv3-large", fold=False, **IMAGES)
def mobilenetv3_large():
    return vision("mobilenet_v3_large")


@model("efficientnet-b0", **IMAGES)
def efficientnet():
    return vision("efficientnet_b0")


@model("vit-b16", **IMAGES)
def vit():
    net = torchvision.models.vit_b_16(weights=None)
    nn.init.normal_(net.heads.head.weight, 0, 0.02)  # zeros as it comes
    return net.eval(), (torch.randn(1, 3, 224, 224),)


class DoubleConv(nn.Sequential):
    def __init__(self, channels, filters):
        super().__init__(
            nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU())


class UNet(nn.Module):
    def __init__(self, bilinear, widths=(16, 32, 64)):
        super().__init__()
        self.down = nn.ModuleList(DoubleConv(a, b) for a, b in zip((3, *widths), widths))
        self.bottom = DoubleConv(widths[-1], widths[-1] * 2)
        self.up, self.join, channels = nn.ModuleList(), nn.ModuleList(), widths[-1] * 2
        for width in reversed(widths):
            self.up.append(
                nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), nn.Conv2d(channels, width, 1))
                if bilinear else nn.ConvTranspose2d(channels, width, 2, 2))
            self.join.append(DoubleConv(width * 2, width))
            channels = width
        self.head = nn.Conv2d(channels, 4, 1)

    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for up, join, skip in zip(self.up, self.join, reversed(skips)):
            x = up(x)
            if x.shape[-2:] != skip.shape[-2:]:
                x = F.interpolate(x, size=skip.shape[-2:], mode="nearest")
            x = join(torch.cat([skip, x], 1))
        return self.head(x)


@model("unet", **SIZED)
def unet():
    return settle(UNet(bilinear=False), 2, 3, 64, 96), (torch.randn(1, 3, 64, 96),)


@model("unet-bilinear", **SIZED)
def unet_bilinear():
    return settle(UNet(bilinear=True), 2, 3, 64, 96), (torch.randn(1, 3, 64, 96),)


class Whisper(nn.Module):
    def __init__(self, mels=80, width=128, heads=4, layers=2, vocabulary=500, frames=300, positions=64):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(mels, width, 3, padding=1), nn.Conv1d(width, width, 3, 2, 1)
        self.register_buffer("places", torch.randn(frames // 2, width) * 0.1)
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Parameter(torch.randn(positions, width) * 0.1)
        self.register_buffer("mask", torch.full((positions, positions), float("-inf")).triu_(1))

        def block(cross):
            parts = dict(norm1=nn.LayerNorm(width), attention=SelfAttention(width, heads), norm2=nn.LayerNorm(width),
                         up=nn.Linear(width, 4 * width), down=nn.Linear(4 * width, width))
            if cross:
                parts |= dict(norm3=nn.LayerNorm(width), cross=SelfAttention(width, heads))
            return nn.ModuleDict(parts)

        self.encoder = nn.ModuleList(block(False) for _ in range(layers))
        self.decoder = nn.ModuleList(block(True) for _ in range(layers))
        self.encoded, self.decoded = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, mel, tokens):
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).permute(0, 2, 1)
        x = x + self.places[: x.size(1)]
        for layer in self.encoder:
            x = x + layer["attention"](layer["norm1"](x))
            x = x + layer["down"](F.gelu(layer["up"](layer["norm2"](x))))
        memory, length = self.encoded(x), tokens.size(1)
        y = self.tokens(tokens) + self.positions[:length]
        for layer in self.decoder:
            y = y + layer["attention"](layer["norm1"](y), self.mask[:length, :length])
            y = y + layer["cross"](layer["norm3"](y), None, memory)
            y = y + layer["down"](F.gelu(layer["up"](layer["norm2"](y))))
        return self.decoded(y) @ self.tokens.weight.t()


@model("whisper", inputs=["mel", "tokens"], outputs=["logits"],
       dynamic={"mel": {0: "batch", 2: "frames"}, "tokens": {0: "batch", 1: "length"}, "logits": {0: "batch", 1: "length"}})
def whisper():
    return Whisper().eval(), (torch.randn(1, 80, 300), torch.randint(0, 500, (1, 7)))


# Other forms that exporters write: older and newer opsets, batch normalization left in place, branches and loops of scripts,
# sampling, detection, quantized pairs.


@model("opset11-mobilenetv3", opset=11, **SIZED)
def opset11():
    return vision("mobilenet_v3_small")


@model("opset13-shufflenet", opset=13, fold=False, **IMAGES)
def opset13():
    return vision("shufflenet_v2_x0_5")


@model("opset20-convnext", opset=20, **IMAGES)
def opset20():
    return torchvision.models.convnext_tiny(weights=None).eval(), (torch.randn(1, 3, 224, 224),)


@model("swin", opset=18, **IMAGES)
def swin():
    return torchvision.models.swin_t(weights=None).eval(), (torch.randn(1, 3, 224, 224),)


@model("densenet121", fold=False, **IMAGES)
def densenet():
    return vision("densenet121", 64)


@model("inception-v3", **IMAGES)
def inception():
    return vision("inception_v3", 299, init_weights=False, aux_logits=False)


@model("deeplab", **SIZED)
def deeplab():
    net = torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None)

    class Only(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net(x)["out"]

    return settle(Only(), 2, 3, 64, 96), (torch.randn(1, 3, 64, 96),)


@model("r3d", **IMAGES)
def r3d():
    net = settle(torchvision.models.video.r3d_18(weights=None), 2, 3, 4, 32, 32)
    return net, (torch.randn(1, 3, 4, 32, 32),)


class Sampler(nn.Module):
    """A spatial transformer: an affine grid and samples of an image on it, then resizing in several ways."""

    def __init__(self):
        super().__init__()
        self.locate = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 6))
        self.conv = nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect")

    def forward(self, x):
        theta = self.locate(x).view(-1, 2, 3)
        grid = F.affine_grid(theta, [x.size(0), 3, 20, 24], align_corners=False)
        y = F.grid_sample(x, grid, align_corners=False)
        y = F.silu(self.conv(y))
        y = F.interpolate(y, scale_factor=2.0, mode="bicubic", align_corners=False)
        y = F.interpolate(y, size=(30, 31), mode="bilinear", align_corners=False)
        return F.interpolate(y, scale_factor=2, mode="nearest")


@model("sampler", opset=20, **IMAGES)
def sampler():
    return Sampler().eval(), (torch.randn(2, 3, 32, 32),)


class Scripted(nn.Module):
    """Control flow that a script keeps: a loop of fixed length and a branch on a shape."""

    def __init__(self):
        super().__init__()
        self.step = nn.Linear(8, 8)

    def forward(self, x):
        for _ in range(3):
            x = torch.tanh(self.step(x))
        if x.size(0) > 2:
            x = x * 2.0
        else:
            x = x - 1.0
        return x


@model("scripted", inputs=["input"], outputs=["output"], dynamic={"input": {0: "batch"}, "output": {0: "batch"}})
def scripted():
    return torch.jit.script(Scripted().eval()), (torch.randn(3, 8),)


class Quantized(nn.Module):
    """Convolutions between fake quantizers, which are exported as pairs of QuantizeLinear and DequantizeLinear."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 16, 3, stride=2, groups=4)
        self.head = nn.Linear(16, 10)

    @staticmethod
    def fake(x, scale, zero):
        return torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, 255)

    @staticmethod
    def fake_channels(w):
        scale = w.abs().amax(dim=tuple(range(1, w.dim()))) / 127
        return torch.fake_quantize_per_channel_affine(w, scale, torch.zeros_like(scale, dtype=torch.int32), 0, -128, 127)

    def forward(self, x):
        x = self.fake(x, 0.03, 128)
        x = F.conv2d(x, self.fake_channels(self.conv1.weight), self.conv1.bias, padding=1)
        x = self.fake(F.relu(x), 0.02, 0)
        x = F.conv2d(x, self.fake_channels(self.conv2.weight), self.conv2.bias, stride=2, groups=4)
        x = self.fake(F.relu(x), 0.02, 0)
        return self.head(x.mean((2, 3)))


@model("quantized", **IMAGES)
def quantized():
    return Quantized().eval(), (torch.randn(1, 3, 16, 16),)


class Indexed(nn.Module):
    """Indices of every kind: assignment to slices, gathering, sorting, running sums, one-hot rows, masks."""

    def forward(self, x, ids):
        y = x.clone()
        y[:, 1:3] = 0.5
        y[:, :, 0] = x[:, :, -1]
        kinds = (ids > 3).to(torch.int64) + (ids > 20).to(torch.int64)
        z = torch.gather(x, 1, kinds.unsqueeze(-1).expand(-1, -1, x.size(2)))
        values, places = x.topk(3, dim=-1)
        places = places.to(torch.float32)
        rows = F.one_hot(kinds, 5).to(torch.float32)
        positions = torch.cumsum((ids > 3).to(torch.int64), 1) * (ids > 3)
        seen = torch.where((ids > 3) & (ids < 40), positions, torch.zeros_like(ids)).to(torch.float32)
        scores = torch.einsum("btd,bsd->bts", x, z).masked_fill(torch.ones(x.size(1), x.size(1)).triu(1).bool(), -1e4)
        return y + z, values + places, rows, seen, scores.softmax(-1), x.tril(-1).sum(-1), F.pad(x, (1, 2), mode="constant")


@model("indexed", inputs=["x", "ids"], outputs=["a", "b", "c", "d", "e", "f", "g"],
       dynamic={"x": {0: "batch", 1: "time"}, "ids": {0: "batch", 1: "time"}})
def indexed():
    return Indexed().eval(), (torch.randn(2, 9, 6), torch.randint(0, 50, (2, 9)))


@model("gru", inputs=["input"], outputs=["output"],
       dynamic={"input": {0: "batch", 1: "time"}, "output": {0: "batch", 1: "time"}})
def gru():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = nn.GRU(20, 32, num_layers=2, batch_first=True, bidirectional=True)
            self.norm = nn.GroupNorm(4, 64)

        def forward(self, x):
            return self.norm(self.gru(x)[0].transpose(1, 2)).transpose(1, 2)

    return Net().eval(), (torch.randn(2, 11, 20),)


@model("vocoder", inputs=["input"], outputs=["output"],
       dynamic={"input": {0: "batch", 2: "time"}, "output": {0: "batch"}})
def vocoder():
    """A small vocoder: transposed and dilated convolutions of sequences, weight norm, leaky units, instance normalization."""
    net = nn.Sequential(
        nn.Conv1d(20, 32, 7, padding=3), nn.LeakyReLU(0.1), nn.ConvTranspose1d(32, 16, 8, 4, 2),
        nn.Conv1d(16, 16, 3, dilation=3, padding=3), nn.InstanceNorm1d(16, affine=True), nn.PReLU(16),
        nn.ConvTranspose1d(16, 8, 5, 3, 1, output_padding=1, groups=2), nn.ELU(), nn.Conv1d(8, 1, 7, padding=3), nn.Tanh())
    return net.eval(), (torch.randn(1, 20, 13),)


@model("detector", opset=11, inputs=["image"], outputs=["boxes", "scores", "labels"])
def detector():
    """A single-shot detector with its boxes decoded and suppressed in the graph."""
    net = torchvision.models.detection.ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=5, score_thresh=0.05, detections_per_img=20, topk_candidates=50)
    return net.eval(), ([torch.rand(3, 320, 320)],)


def further(name, size=96, opset=17, settled=True, options=IMAGES, **arguments):
    """One of torchvision's classifiers, on small images where it takes them."""

    @model(f"tv-{name}", into=FURTHER, opset=opset, **options)
    def build():
        net = getattr(torchvision.models, name)(weights=None, **arguments)
        net = settle(net, 2, 3, size, size) if settled else net.eval()
        for linear in net.modules():
            if isinstance(linear, nn.Linear) and linear.weight.abs().max() == 0:
                nn.init.normal_(linear.weight, 0, 0.02)
        return net, (torch.randn(1, 3, size, size),)


further("alexnet", 224, settled=False)
further("convnext_tiny", settled=False)
further("densenet121", 64, opset=20)
further("efficientnet_b0", opset=12, options=SIZED)
further("efficientnet_v2_s")
further("googlenet", init_weights=False, aux_logits=False)
further("maxvit_t", 224)
further("mnasnet0_5")
further("mnasnet1_0", opset=12)
further("mobilenet_v2", opset=9)
further("regnet_x_400mf")
further("regnet_y_400mf")
further("resnet18", opset=7)
further("resnet34", opset=11)
further("resnext50_32x4d")
further("shufflenet_v2_x1_0")
further("squeezenet1_0", settled=False, opset=13)
further("swin_v2_t", 128, settled=False)
further("vit_b_32", 224, settled=False, opset=14)
further("wide_resnet50_2", 64)


class Mask(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)["out"]


def segmentation(name):
    @model(f"tv-{name}", into=FURTHER, **SIZED)
    def build():
        net = getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None)
        return settle(Mask(net), 2, 3, 64, 96), (torch.randn(1, 3, 64, 96),)


for title in ("deeplabv3_mobilenet_v3_large", "deeplabv3_resnet50", "fcn_resnet50", "lraspp_mobilenet_v3_large"):
    segmentation(title)


def detection(name, size, **arguments):
    @model(f"tv-{name}", into=FURTHER, opset=16, inputs=["image"], outputs=None)
    def build():
        net = getattr(torchvision.models.detection, name)(weights=None, weights_backbone=None, num_classes=5, **arguments)
        return net.eval(), ([torch.rand(3, *size)],)


SMALL = dict(min_size=160, max_size=224)
detection(
    "fasterrcnn_mobilenet_v3_large_320_fpn", (160, 192), rpn_post_nms_top_n_test=50, rpn_pre_nms_top_n_test=100,
    box_detections_per_img=10, box_score_thresh=0.01, **SMALL)
detection(
    "fcos_resnet50_fpn", (160, 192), detections_per_img=10, topk_candidates=50, score_thresh=0.01, **SMALL)
detection(
    "retinanet_resnet50_fpn", (160, 192), detections_per_img=10, topk_candidates=50, score_thresh=0.01, **SMALL)
detection("ssdlite320_mobilenet_v3_large", (320, 320), score_thresh=0.05, detections_per_img=20, topk_candidates=50)


def video(name, *shape):
    @model(f"tv-{name}", into=FURTHER, **IMAGES)
    def build():
        return settle(getattr(torchvision.models.video, name)(weights=None), 2, *shape), (torch.randn(1, *shape),)


video("mc3_18", 3, 4, 32, 32)
video("r2plus1d_18", 3, 4, 32, 32)
video("swin3d_t", 3, 4, 64, 64)


@model("tv-raft_small", into=FURTHER, inputs=["a", "b"], outputs=None)
def raft_small():
    class Flow(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = torchvision.models.optical_flow.raft_small(weights=None)

        def forward(self, a, b):
            return self.net(a, b, num_flow_updates=3)[-1]

    return Flow().eval(), (torch.randn(1, 3, 128, 128), torch.randn(1, 3, 128, 128))


def export(name, folder):
    models = MODELS if name in MODELS else FURTHER
    build, options = models[name]
    torch.manual_seed(sorted(models).index(name))
    module, arguments = build()
    path = os.path.join(folder, name + ".onnx")
    with torch.no_grad():
        torch.onnx.export(
            module, arguments, path + ".partial", dynamo=False, opset_version=options.get("opset", 17),
            input_names=options["inputs"], output_names=options["outputs"], dynamic_axes=options.get("dynamic"),
            training=torch.onnx.TrainingMode.EVAL if options.get("fold", True) else torch.onnx.TrainingMode.PRESERVE,
            verbose=False)
    os.replace(path + ".partial", path)
    print(f"{name}: {os.path.getsize(path):,} bytes", flush=True)


def main():
    folder, names = sys.argv[1], sys.argv[2:]
    if names == ["--list"]:
        print("silero", *MODELS, *FURTHER)
        return
    if names == ["--further"]:
        names = [*FURTHER]
    if names == ["--missing"]:
        names = [name for name in MODELS if not os.path.exists(os.path.join(folder, name + ".onnx"))]
    unknown = set(names) - set(MODELS) - set(FURTHER) - {"silero"}
    if unknown:
        sys.exit(f"make-onnx-models: unknown {', '.join(sorted(unknown))}; known: silero {' '.join([*MODELS, *FURTHER])}")
    for name in names:
        if name != "silero":
            export(name, folder)


if __name__ == "__main__":
    main()
