using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FastNN.Peers;

/// <summary>A recipe's network as a TorchSharp module, [N,C,H,W] in, logits [N,10] out.</summary>
internal sealed class TorchNetwork : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d[] _convolutions;
    private readonly Linear[] _dense;

    private TorchNetwork(Recipe recipe, bool channelsLast)
        : base(recipe.Name)
    {
        long channels = recipe.Channels;
        _convolutions = new Conv2d[recipe.Convolutions.Length];
        for (var i = 0; i < _convolutions.Length; i++)
        {
            var (filters, kernel) = recipe.Convolutions[i];
            _convolutions[i] = nn.Conv2d(channels, filters, kernel);
            _convolutions[i].weight = nn.Parameter(TorchContenders.Layout(_convolutions[i].weight!, channelsLast).detach());
            register_module($"conv{i + 1}", _convolutions[i]);
            channels = filters;
        }

        long features = recipe.Features;
        _dense = new Linear[recipe.Dense.Length];
        for (var i = 0; i < _dense.Length; i++)
        {
            _dense[i] = nn.Linear(features, recipe.Dense[i]);
            register_module($"fc{i + 1}", _dense[i]);
            features = recipe.Dense[i];
        }
    }

    public static IContender Contender(NetworkCase @case, bool channelsLast)
    {
        var recipe = @case.Recipe;
        var network = new TorchNetwork(recipe, channelsLast);
        var images = TorchContenders.Layout(rand(@case.Batch, recipe.Channels, recipe.Size, recipe.Size), channelsLast);
        var name = TorchContenders.LayoutName(channelsLast);
        return @case.Train
            ? new TorchTraining(name, network, images, recipe.Optimizer)
            : new TorchInference(name, network, images);
    }

    public override Tensor forward(Tensor input)
    {
        foreach (var convolution in _convolutions)
        {
            input = nn.functional.max_pool2d(nn.functional.relu(convolution.forward(input), inplace: true), 2);
        }

        input = input.flatten(1);
        for (var i = 0; i < _dense.Length - 1; i++)
        {
            input = nn.functional.relu(_dense[i].forward(input), inplace: true);
        }

        return _dense[^1].forward(input);
    }
}

internal sealed class TorchTraining : IContender
{
    private readonly TorchNetwork _network;
    private readonly Tensor _images, _labels;
    private readonly optim.Optimizer _optimizer;

    public TorchTraining(string name, TorchNetwork network, Tensor images, Optimizing optimizer)
    {
        Name = name;
        _network = network;
        _images = images;
        _labels = randint(Recipe.Classes, [images.shape[0]], ScalarType.Int64);
        _optimizer = optimizer == Optimizing.Adam
            ? optim.Adam(network.parameters(), Recipe.LearningRate)
            : optim.SGD(network.parameters(), Recipe.LearningRate, Recipe.Momentum);
    }

    public string Name { get; }

    /// <summary>The loss of the latest step: read each time because FastNN's step returns it as well.</summary>
    public float Loss { get; private set; }

    public void Step()
    {
        using var scope = NewDisposeScope();
        _optimizer.zero_grad();
        var loss = nn.functional.cross_entropy(_network.forward(_images), _labels);
        loss.backward();
        _optimizer.step();
        Loss = loss.item<float>();
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _network.Dispose();
        _images.Dispose();
        _labels.Dispose();
    }
}

/// <summary>Images, already a tensor, to logits left in a tensor: no copy in or out is charged.</summary>
internal sealed class TorchInference : IContender
{
    private readonly TorchNetwork _network;
    private readonly Tensor _images;

    public TorchInference(string name, TorchNetwork network, Tensor images)
    {
        Name = name;
        _network = network;
        _images = images;
        _network.eval();
    }

    public string Name { get; }

    public void Step()
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        _network.forward(_images);
    }

    public void Dispose()
    {
        _network.Dispose();
        _images.Dispose();
    }
}
