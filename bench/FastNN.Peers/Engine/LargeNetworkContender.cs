namespace FastNN.Peers;

/// <summary>The network through the public API: a training step recorded once, or a session.</summary>
internal sealed class LargeNetworkContender : IContender
{
    private readonly Device _device;
    private readonly DeviceWeights? _weights;
    private readonly TrainingStep? _step;
    private readonly Predictor? _predictor;
    private readonly Session? _session;
    private readonly float[] _numbers, _logits;
    private readonly int[] _tokens, _labels;
    private readonly Shape _input, _targets;

    public LargeNetworkContender(LargeNetworkCase @case, int threads)
    {
        LargeNetwork network = @case.Network;
        var random = new Random(1);
        (_input, _targets) = (network.Input, [network.Rows]);
        _numbers = [.. Enumerable.Range(0, network.Tokens > 0 ? 0 : (int)_input.Count).Select(_ => random.NextSingle() - 0.5f)];
        _tokens = network.Tokens > 0 ? LargeNetwork.Integers((int)_input.Count, network.Tokens, 2) : [];
        _labels = LargeNetwork.Integers(network.Rows, network.Classes, 3);
        _logits = new float[network.Rows * network.Classes];
        _device = Device.Cpu(threads);
        Layer model = network.Engine();
        if (network.Tokens > 0)
        {
            Symbol tokens = Model.Input("x", _input[1..], DType.Int32);
            new Model(tokens, model.Apply(tokens)).Build();
        }
        else
        {
            model.Build(_input[1..]);
        }

        if (!@case.Train)
        {
            if (network.Tokens > 0)
            {
                var graph = new Graph(GraphMode.Inference);
                _session = graph.Compile(_device, [model.Apply(graph.Input(_input, DType.Int32))]);
            }
            else
            {
                _predictor = model.CreatePredictor(_device, _input[0]);
            }

            return;
        }

        _weights = new DeviceWeights(_device, model);
        _step = new TrainingStep(
            _weights,
            step =>
            {
                Value x = step.Input("x", _input, network.Tokens > 0 ? DType.Int32 : DType.Float32);
                Value logits = model.Apply(x).Reshape([network.Rows, network.Classes]);
                step.Loss("loss", Loss.SparseCrossEntropy.Apply(logits, step.Input("labels", _targets, DType.Int32)));
            },
            [(network.Optimizer(), model.Parameters)]);
    }

    public string Name => "fastnn";

    /// <summary>The loss of the latest step.</summary>
    public float LatestLoss { get; private set; }

    public void Step()
    {
        if (_session is not null)
        {
            using SessionRun run = _session.Begin(_input);
            run.Write<int>(0, _tokens);
            run.Compute();
            run.Read<float>(0, _logits);
            return;
        }

        if (_step is null)
        {
            _predictor!.Predict(_numbers, _logits);
            return;
        }

        _step.Begin(_input, _targets);
        if (_tokens.Length > 0)
        {
            _step.Write("x", _tokens);
        }
        else
        {
            _step.Write("x", _numbers);
        }

        _step.Write("labels", _labels);
        LatestLoss = _step.Run();
    }

    public void Dispose()
    {
        _step?.Dispose();
        _predictor?.Dispose();
        _session?.Dispose();
        _weights?.Dispose();
        _device.Dispose();
    }
}
