namespace FastNN.Hosting.Tests.Models;

/// <summary>An engine that another stands behind; those derived from it change what computing does.</summary>
internal abstract class ForwardingEngine(IModelEngine inner) : IModelEngine
{
    public string Platform => inner.Platform;

    public IReadOnlyList<ModelTensor> Inputs => inner.Inputs;

    public IReadOnlyList<ModelTensor> Outputs => inner.Outputs;

    public bool IsBatchable => inner.IsBatchable;

    public bool AllowsEmpty => inner.AllowsEmpty;

    public IReadOnlyList<string> ClassNames => inner.ClassNames;

    public virtual void Execute(ReadOnlySpan<QueuedCall> batch, int rows, ref StageClock clock) =>
        inner.Execute(batch, rows, ref clock);

    public virtual void Dispose() => inner.Dispose();
}
