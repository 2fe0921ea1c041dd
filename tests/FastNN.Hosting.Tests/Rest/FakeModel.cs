using System.Diagnostics.CodeAnalysis;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>A model whose outputs are its inputs, and which counts the calls that were not given back.</summary>
internal sealed class FakeModel(string name, params ModelTensor[] tensors) : IModel
{
    private readonly Stack<FakeCall> _pool = new();
    private int _live;

    public string Name => name;

    public string Version => "1";

    public string Platform => "onnx";

    public IReadOnlyList<ModelTensor> Inputs { get; } = tensors;

    public IReadOnlyList<ModelTensor> Outputs { get; init; } =
        [.. tensors.Select(tensor => tensor with { Name = tensor.Name.Replace("in", "out", StringComparison.Ordinal) })];

    /// <summary>Calls that were begun and not given back.</summary>
    public int Live => _live;

    /// <summary>What happens instead of an answer; it gets the call.</summary>
    public Func<ModelCall, CancellationToken, ValueTask>? Run { get; set; }

    public ModelCall Begin()
    {
        _ = Interlocked.Increment(ref _live);
        lock (_pool)
        {
            FakeCall call = _pool.Count > 0 ? _pool.Pop() : new FakeCall(this);
            call.Reset();
            return call;
        }
    }

    private sealed class FakeCall(FakeModel model) : ModelCall
    {
        private readonly byte[][] _memory = [.. model.Inputs.Select(_ => Array.Empty<byte>())];
        private readonly int[] _lengths = new int[model.Inputs.Count];
        private readonly int[][] _extents = [.. model.Inputs.Select(tensor => new int[tensor.Dimensions.Count])];
        private bool _returned;

        public override string Version => model.Version;

        public override int Priority { get; set; }

        public override long Deadline { get; set; }

        public override TimeSpan QueueTime => TimeSpan.Zero;

        public override TimeSpan ComputeTime => TimeSpan.Zero;

        public override int BatchSize => 1;

        public void Reset()
        {
            _returned = false;
            Array.Clear(_lengths);
        }

        public override Span<byte> SetInput(int index, ReadOnlySpan<int> dimensions, int bytes = -1)
        {
            dimensions.CopyTo(_extents[index]);
            int length = bytes;
            if (bytes < 0)
            {
                length = Protocol.TensorDataTypes.Size(model.Inputs[index].DataType);
                foreach (int extent in dimensions)
                {
                    length *= extent;
                }
            }

            if (_memory[index].Length < length)
            {
                _memory[index] = new byte[length];
            }

            _lengths[index] = length;
            Span<byte> memory = _memory[index].AsSpan(0, length);
            memory.Fill(0xEE);
            return memory;
        }

        public override ValueTask RunAsync(CancellationToken cancellationToken = default) =>
            model.Run?.Invoke(this, cancellationToken) ?? default;

        public override ReadOnlySpan<int> OutputDimensions(int index) => _extents[index];

        public override ReadOnlySpan<byte> Output(int index) => _memory[index].AsSpan(0, _lengths[index]);

        protected override void Return()
        {
            if (!_returned)
            {
                _returned = true;
                _ = Interlocked.Decrement(ref model._live);
                lock (model._pool)
                {
                    model._pool.Push(this);
                }
            }
        }
    }
}

/// <summary>Models by name; all of them ready but those in <see cref="Loading"/>.</summary>
internal sealed class FakeCatalog(params FakeModel[] models) : IModelCatalog
{
    public HashSet<string> Loading { get; } = [];

    public List<string> Log { get; } = [];

    public bool IsReady => Loading.Count == 0;

    public IReadOnlyList<FakeModel> Models => models;

    public IReadOnlyList<ModelStatus> List() =>
        [.. models.Select(model =>
            new ModelStatus(model.Name, "1", Loading.Contains(model.Name) ? ModelState.Loading : ModelState.Ready, ""))];

    public bool TryGet(string name, string? version, [NotNullWhen(true)] out IModel? model)
    {
        model = null;
        foreach (FakeModel candidate in models)
        {
            if (candidate.Name == name && !Loading.Contains(name) && (string.IsNullOrEmpty(version) || version == "1"))
            {
                model = candidate;
            }
        }

        return model is not null;
    }

    public IModel Find(string name, string? version)
    {
        return TryGet(name, version, out IModel? model) ? model
            : throw new InferenceException(
                Loading.Contains(name) ? InferenceFailure.NotReady : InferenceFailure.NotFound,
                $"model '{name}' is loading or unknown");
    }

    public Task LoadAsync(string name, string? version = null, CancellationToken cancellationToken = default)
    {
        Log.Add($"load {name} {version}");
        return Task.CompletedTask;
    }

    public Task UnloadAsync(string name, string? version = null, CancellationToken cancellationToken = default)
    {
        Log.Add($"unload {name} {version}");
        return Task.CompletedTask;
    }

    public IReadOnlyList<ModelStatistics> Statistics(string? name = null, string? version = null)
    {
        DurationStatistic some = new(2, 300);
        return [.. models.Where(model => name is null || model.Name == name).Select(model => new ModelStatistics(
            model.Name, "1", DateTimeOffset.UnixEpoch.AddMilliseconds(5), 4, 2, some, default, some, some, some, some,
            [new BatchStatistic(2, some, some, some)]))];
    }
}
