using FastNN.Graphs;
using FastNN.Layers;
using FastNN.Losses;
using FastNN.Tensors;

namespace FastNN.Training;

/// <summary>A stretch of memory in a plan.</summary>
/// <param name="Name">What it holds: the operator's name, "gradient", "input" or a workspace.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Offset">Where it lies in the arena.</param>
/// <param name="First">The step that first writes it.</param>
/// <param name="Last">The last step that reads it.</param>
public sealed record PlannedBuffer(string Name, long Bytes, long Offset, int First, int Last);

/// <summary>How the memory of a training step is planned: every buffer between the operators, with its lifetime and place in one arena.</summary>
public sealed class PlanSummary
{
    private PlanSummary(Plan plan)
    {
        PeakBytes = plan.PeakBytes;
        LowerBoundBytes = plan.LowerBoundBytes;
        Steps = 2 * plan.Nodes.Count;
        Buffers = [.. plan.Buffers.Select(buffer => new PlannedBuffer(buffer.Name, buffer.Bytes, buffer.Offset, buffer.First, buffer.Last))];
        UnsharedBytes = plan.Buffers.Sum(buffer => Planner.Align(buffer.Bytes));
    }

    /// <summary>Bytes of the arena; parameters, gradients and optimizer state lie outside of it.</summary>
    public long PeakBytes { get; }

    /// <summary>The largest sum of bytes alive at one step: no plan can be smaller.</summary>
    public long LowerBoundBytes { get; }

    /// <summary>Bytes that the buffers would take side by side.</summary>
    public long UnsharedBytes { get; }

    /// <summary>Peak over lower bound; 1 is the best there can be.</summary>
    public double Ratio => LowerBoundBytes == 0 ? 1 : (double)PeakBytes / LowerBoundBytes;

    /// <summary>Forward and backward steps; lifetimes count these.</summary>
    public int Steps { get; }

    /// <summary>The buffers in the order of their making.</summary>
    public IReadOnlyList<PlannedBuffer> Buffers { get; }

    /// <summary>Plans a training step without taking memory for it.</summary>
    /// <param name="model">A built model.</param>
    /// <param name="device">The device, which decides the workspaces.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="batchSize">Examples in the step.</param>
    /// <returns>The plan.</returns>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    public static PlanSummary OfTraining(Layer model, Device device, Loss loss, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        Shape example = model.ExampleShape ?? throw new InvalidOperationException("PlanSummary: the model is not built; call model.Build(shape of one example) first.");
        return new PlanSummary(TrainingProgram.Compile(device.Implementation, model, loss, example, batchSize, GraphMode.Training, seed: 0).Plan);
    }
}
