using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FastNN.Peers;

/// <summary>The network as a TorchSharp module on one batch that is a tensor already.</summary>
internal sealed class TorchLargeNetwork : IContender
{
    private readonly LargeNetwork _network;
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly Tensor _input, _labels;
    private readonly optim.Optimizer? _optimizer;

    public TorchLargeNetwork(LargeNetworkCase @case, bool channelsLast)
    {
        _network = @case.Network;
        Name = TorchContenders.LayoutName(channelsLast);
        _module = _network.Torch();
        long[] shape = [.. Enumerable.Range(0, _network.Input.Rank).Select(i => (long)_network.Input[i])];
        _input = _network.Tokens > 0 ? randint(_network.Tokens, shape, ScalarType.Int64)
            : _network.IsImages ? TorchContenders.Layout(rand(shape[0], shape[3], shape[1], shape[2]) - 0.5, channelsLast)
            : rand(shape) - 0.5;
        _labels = randint(_network.Classes, [_network.Rows], ScalarType.Int64);
        if (channelsLast)
        {
            foreach (Conv2d convolution in _module.modules().OfType<Conv2d>())
            {
                convolution.weight = nn.Parameter(TorchContenders.Layout(convolution.weight!, channelsLast: true).detach());
            }
        }

        if (@case.Train)
        {
            _optimizer = _network.TorchOptimizer(_module.parameters());
        }
        else
        {
            _module.eval();
        }
    }

    public string Name { get; }

    public float LatestLoss { get; private set; }

    public void Step()
    {
        using var scope = NewDisposeScope();
        if (_optimizer is null)
        {
            using var mode = inference_mode();
            _module.forward(_input);
            return;
        }

        _optimizer.zero_grad();
        var logits = _module.forward(_input).reshape(_network.Rows, _network.Classes);
        var loss = nn.functional.cross_entropy(logits, _labels);
        loss.backward();
        _optimizer.step();
        LatestLoss = loss.item<float>();
    }

    public void Dispose()
    {
        _optimizer?.Dispose();
        _module.Dispose();
        _input.Dispose();
        _labels.Dispose();
    }
}

/// <summary>ResNet-18 for images of 32 x 32, as <see cref="Testing.ResNet18"/>.</summary>
internal sealed class TorchResNet18 : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d _stem;
    private readonly BatchNorm2d _norm;
    private readonly ModuleList<TorchResidualBlock> _blocks = [];
    private readonly Linear _head;

    public TorchResNet18()
        : base("resnet18")
    {
        _stem = nn.Conv2d(3, 64, 3, padding: 1, bias: false);
        _norm = nn.BatchNorm2d(64);
        long channels = 64;
        for (var stage = 0; stage < 4; stage++)
        {
            long filters = 64L << stage;
            _blocks.Add(new TorchResidualBlock(channels, filters, stage == 0 ? 1 : 2));
            _blocks.Add(new TorchResidualBlock(filters, filters, 1));
            channels = filters;
        }

        _head = nn.Linear(channels, 10);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        x = nn.functional.relu(_norm.forward(_stem.forward(x)), inplace: true);
        foreach (TorchResidualBlock block in _blocks)
        {
            x = block.forward(x);
        }

        return _head.forward(x.mean([2, 3]));
    }
}

internal sealed class TorchResidualBlock : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d _first, _second;
    private readonly BatchNorm2d _firstNorm, _secondNorm;
    private readonly TorchSharp.Modules.Sequential? _shortcut;

    public TorchResidualBlock(long channels, long filters, long stride)
        : base("block")
    {
        _first = nn.Conv2d(channels, filters, 3, stride, padding: 1, bias: false);
        _firstNorm = nn.BatchNorm2d(filters);
        _second = nn.Conv2d(filters, filters, 3, padding: 1, bias: false);
        _secondNorm = nn.BatchNorm2d(filters);
        _shortcut = stride == 1 && channels == filters
            ? null
            : nn.Sequential(nn.Conv2d(channels, filters, 1, stride, bias: false), nn.BatchNorm2d(filters));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var y = nn.functional.relu(_firstNorm.forward(_first.forward(x)), inplace: true);
        return nn.functional.relu(_secondNorm.forward(_second.forward(y)).add_(_shortcut?.forward(x) ?? x), inplace: true);
    }
}
