using System.Collections.Concurrent;

namespace FastNN.Hosting.Tests.Rpc;

/// <summary>A model whose outputs are its inputs, and which can be told to fail, to wait or to count what is alive.</summary>
internal sealed class EchoModel : IModel
{
    private readonly ConcurrentBag<EchoCall> _idle = [];
    private int _live;

    public EchoModel(string name, string version, params ModelTensor[] inputs)
    {
        (Name, Version, Inputs) = (name, version, inputs);
        Outputs = [.. inputs.Select(input => input with { Name = input.Name + "_out" })];
    }

    public string Name { get; }

    public string Version { get; }

    public string Platform => "onnx";

    public IReadOnlyList<ModelTensor> Inputs { get; }

    public IReadOnlyList<ModelTensor> Outputs { get; }

    /// <summary>What a call does when it runs; nothing by default.</summary>
    public Func<EchoCall, CancellationToken, ValueTask>? OnRun { get; set; }

    /// <summary>Calls that were begun and not given back.</summary>
    public int Live => Volatile.Read(ref _live);

    public ModelCall Begin()
    {
        Interlocked.Increment(ref _live);
        EchoCall call = _idle.TryTake(out EchoCall? idle) ? idle : new EchoCall(this);
        call.Open();
        return call;
    }

    public void Return(EchoCall call)
    {
        Interlocked.Decrement(ref _live);
        _idle.Add(call);
    }
}

/// <summary>A call of an <see cref="EchoModel"/>.</summary>
internal sealed class EchoCall(EchoModel model) : ModelCall
{
    private readonly byte[][] _elements = [.. model.Inputs.Select(_ => Array.Empty<byte>())];
    private readonly int[][] _dimensions = [.. model.Inputs.Select(input => new int[input.Dimensions.Count])];
    private readonly int[] _lengths = new int[model.Inputs.Count];
    private bool _open;

    public override string Version => model.Version;

    public override int Priority { get; set; }

    public override long Deadline { get; set; }

    public override TimeSpan QueueTime => TimeSpan.Zero;

    public override TimeSpan ComputeTime => TimeSpan.Zero;

    public override int BatchSize => 1;

    public void Open() => (_open, Priority, Deadline) = (true, 0, 0);

    public override Span<byte> SetInput(int index, ReadOnlySpan<int> dimensions, int bytes = -1)
    {
        dimensions.CopyTo(_dimensions[index]);
        if (bytes < 0)
        {
            bytes = Protocol.TensorDataTypes.Size(model.Inputs[index].DataType);
            foreach (int extent in dimensions)
            {
                bytes *= extent;
            }
        }

        if (_elements[index].Length < bytes)
        {
            _elements[index] = new byte[bytes];
        }

        _lengths[index] = bytes;
        return _elements[index].AsSpan(0, bytes);
    }

    public override ValueTask RunAsync(CancellationToken cancellationToken = default) =>
        model.OnRun is { } run ? run(this, cancellationToken) : default;

    public override ReadOnlySpan<int> OutputDimensions(int index) => _dimensions[index];

    public override ReadOnlySpan<byte> Output(int index) => _elements[index].AsSpan(0, _lengths[index]);

    protected override void Return()
    {
        if (_open)
        {
            _open = false;
            model.Return(this);
        }
    }
}

/// <summary>A catalog of such models.</summary>
internal sealed class EchoCatalog(params EchoModel[] models) : IModelCatalog
{
    public List<string> Managed { get; } = [];

    public bool IsReady { get; set; } = true;

    /// <summary>A model that is listed and not loaded.</summary>
    public string? Unloaded { get; set; }

    public int Live => models.Sum(model => model.Live);

    public IReadOnlyList<ModelStatus> List() =>
    [
        .. models.Select(model => new ModelStatus(model.Name, model.Version, ModelState.Ready, "")),
        new ModelStatus("broken", "1", ModelState.Failed, "the file is damaged"),
        .. Unloaded is null ? [] : new[] { new ModelStatus(Unloaded, "1", ModelState.Unloaded, "unloaded") },
    ];

    public bool TryGet(string name, string? version, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IModel? model)
    {
        model = null;
        foreach (EchoModel candidate in models)
        {
            if (candidate.Name == name && (string.IsNullOrEmpty(version) || candidate.Version == version))
            {
                model = candidate;
            }
        }

        return model is not null;
    }

    public IModel Find(string name, string? version) => TryGet(name, version, out IModel? model)
        ? model
        : throw new InferenceException(
            name == "broken" ? InferenceFailure.NotReady : InferenceFailure.NotFound,
            $"there is no model '{name}' that is ready");

    public Task LoadAsync(string name, string? version = null, CancellationToken cancellationToken = default) =>
        Manage("load", name, version);

    public Task UnloadAsync(string name, string? version = null, CancellationToken cancellationToken = default) =>
        Manage("unload", name, version);

    public IReadOnlyList<ModelStatistics> Statistics(string? name = null, string? version = null) =>
    [
        new ModelStatistics(
            name ?? "echo", version ?? "2", DateTimeOffset.UnixEpoch.AddMilliseconds(5), 7, 3, new(6, 60), new(1, 10), new(7, 70),
            new(7, 1), new(7, 2), new(7, 3), [new BatchStatistic(4, new(1, 2), new(3, 4), new(5, 6))]),
    ];

    private Task Manage(string what, string name, string? version)
    {
        _ = Find(name, null);
        Managed.Add($"{what} {name} {version}");
        return Task.CompletedTask;
    }
}
