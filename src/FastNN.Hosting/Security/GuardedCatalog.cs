using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace FastNN.Hosting.Security;

/// <summary>
/// The catalog as the server's endpoints see it: tells the audit log which models management calls are about, and the log what
/// goes into inference where that is asked for.
/// </summary>
internal sealed class GuardedCatalog(IModelCatalog inner, InputLog? inputs) : IModelCatalog
{
    // A model of the catalog stays the same object as long as it is there.
    private readonly ConditionalWeakTable<IModel, LoggedModel> _logged = [];

    /// <inheritdoc/>
    public bool IsReady => inner.IsReady;

    /// <inheritdoc/>
    public IReadOnlyList<ModelStatus> List() => inner.List();

    /// <inheritdoc/>
    public bool TryGet(string name, string? version, [NotNullWhen(true)] out IModel? model)
    {
        bool found = inner.TryGet(name, version, out model);
        if (found && inputs is not null)
        {
            model = Log(model!);
        }

        return found;
    }

    /// <inheritdoc/>
    public IModel Find(string name, string? version)
    {
        IModel model = inner.Find(name, version);
        return inputs is null ? model : Log(model);
    }

    /// <inheritdoc/>
    public Task LoadAsync(string name, string? version = null, CancellationToken cancellationToken = default) =>
        RecordAsync(name, version, () => inner.LoadAsync(name, version, cancellationToken));

    /// <inheritdoc/>
    public Task UnloadAsync(string name, string? version = null, CancellationToken cancellationToken = default) =>
        RecordAsync(name, version, () => inner.UnloadAsync(name, version, cancellationToken));

    /// <inheritdoc/>
    public IReadOnlyList<ModelStatistics> Statistics(string? name = null, string? version = null) =>
        inner.Statistics(name, version);

    private static async Task RecordAsync(string name, string? version, Func<Task> action)
    {
        AuditRecord? record = AuditRecord.Current;
        if (record is not null)
        {
            (record.Model, record.Version) = (name, version);
        }

        try
        {
            await action();
        }
        catch (Exception exception) when (record is not null)
        {
            record.Failure = exception is InferenceException inference ? inference.Failure.ToString() : exception.GetType().Name;
            throw;
        }
    }

    private LoggedModel Log(IModel model) => _logged.GetValue(model, it => new LoggedModel(it, inputs!));
}

/// <summary>A model whose calls tell the log what goes in.</summary>
internal sealed class LoggedModel(IModel inner, InputLog log) : IModel
{
    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <inheritdoc/>
    public string Version => inner.Version;

    /// <inheritdoc/>
    public string Platform => inner.Platform;

    /// <inheritdoc/>
    public IReadOnlyList<ModelTensor> Inputs => inner.Inputs;

    /// <inheritdoc/>
    public IReadOnlyList<ModelTensor> Outputs => inner.Outputs;

    /// <inheritdoc/>
    public int MaxBatch => inner.MaxBatch;

    /// <inheritdoc/>
    public ModelCall Begin() => log.IsEnabled ? new LoggedCall(inner, inner.Begin(), log) : inner.Begin();
}

/// <summary>A call that tells the log what goes in, when it runs.</summary>
internal sealed class LoggedCall(IModel model, ModelCall inner, InputLog log) : ModelCall
{
    private readonly int[]?[] _shapes = new int[model.Inputs.Count][];

    /// <inheritdoc/>
    public override string Version => inner.Version;

    /// <inheritdoc/>
    public override int Priority
    {
        get => inner.Priority;
        set => inner.Priority = value;
    }

    /// <inheritdoc/>
    public override long Deadline
    {
        get => inner.Deadline;
        set => inner.Deadline = value;
    }

    /// <inheritdoc/>
    public override TimeSpan QueueTime => inner.QueueTime;

    /// <inheritdoc/>
    public override TimeSpan ComputeTime => inner.ComputeTime;

    /// <inheritdoc/>
    public override int BatchSize => inner.BatchSize;

    /// <inheritdoc/>
    public override Span<byte> SetInput(int index, ReadOnlySpan<int> dimensions, int bytes = -1)
    {
        Span<byte> elements = inner.SetInput(index, dimensions, bytes);
        _shapes[index] = dimensions.ToArray();
        return elements;
    }

    /// <inheritdoc/>
    public override ValueTask RunAsync(CancellationToken cancellationToken = default)
    {
        log.Write(model, inner, _shapes);
        return inner.RunAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<int> OutputDimensions(int index) => inner.OutputDimensions(index);

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Output(int index) => inner.Output(index);

    /// <inheritdoc/>
    protected override void Return() => inner.Dispose();
}
