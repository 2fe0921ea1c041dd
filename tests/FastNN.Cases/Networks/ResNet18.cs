namespace FastNN.Testing;

/// <summary>
/// ResNet-18 for images of 32 x 32 (He et al., 2016; the form for CIFAR-10 that PyTorch examples use: a 3 x 3 convolution of
/// stride 1 in front and no pooling). Images [N, 32, 32, 3] give logits [N, 10]; parameters have torchvision's names. Depth
/// stays, width can be less, for devices that are interpreted.
/// </summary>
internal sealed class ResNet18 : Layer
{
    private readonly Conv2D _stem;
    private readonly BatchNorm2D _norm = new();
    private readonly Layer[] _stages;
    private readonly Dense _head;

    /// <param name="width">Channels of the first of the four stages; each later one has twice as many. Default 64.</param>
    /// <param name="classes">Logits; default 10.</param>
    public ResNet18(int width = 64, int classes = 10)
    {
        _stem = AddLayer(new Conv2D(width, 3) { Padding = 1, UseBias = false }, "conv1");
        AddLayer(_norm, "bn1");
        _stages =
        [
            .. Enumerable.Range(0, 4).Select(stage => AddLayer(
                new Sequential(
                    new ResidualBlock(width << stage, stage == 0 ? 1 : 2), new ResidualBlock(width << stage, stride: 1)),
                $"layer{stage + 1}")),
        ];
        _head = AddLayer(new Dense(classes), "fc");
    }

    protected override Value Forward(Value x)
    {
        x = _norm.Apply(_stem.Apply(x)).ReLU();
        foreach (Layer stage in _stages)
        {
            x = stage.Apply(x);
        }

        return _head.Apply(x.GlobalAvgPool2D().Flatten());
    }

    /// <summary>Two 3 x 3 convolutions beside a shortcut, which a 1 x 1 convolution fits to another stride or width.</summary>
    private sealed class ResidualBlock : Layer
    {
        private readonly int _channels, _stride;
        private readonly Conv2D _first, _second;
        private readonly BatchNorm2D _firstNorm = new(), _secondNorm = new();
        private Sequential? _shortcut;

        public ResidualBlock(int channels, int stride)
        {
            (_channels, _stride) = (channels, stride);
            _first = AddLayer(new Conv2D(channels, 3) { Stride = stride, Padding = 1, UseBias = false }, "conv1");
            AddLayer(_firstNorm, "bn1");
            _second = AddLayer(new Conv2D(channels, 3) { Padding = 1, UseBias = false }, "conv2");
            AddLayer(_secondNorm, "bn2");
        }

        protected override void Build(Value x)
        {
            if (_stride != 1 || x.Shape[3] != _channels)
            {
                _shortcut = AddLayer(
                    new Sequential(new Conv2D(_channels, 1) { Stride = _stride, UseBias = false }, new BatchNorm2D()),
                    "downsample");
            }
        }

        protected override Value Forward(Value x)
        {
            Value y = _firstNorm.Apply(_first.Apply(x)).ReLU();
            return (_secondNorm.Apply(_second.Apply(y)) + (_shortcut?.Apply(x) ?? x)).ReLU();
        }
    }
}
