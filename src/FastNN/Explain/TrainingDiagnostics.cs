using System.Runtime.InteropServices;
using FastNN.Kernels;

namespace FastNN.Explain;

/// <summary>
/// Looks into a training step without making it: statistics of what each layer gives and of the gradients that arrive, dead
/// units, vanishing and exploding gradients, and where the first number that is not finite comes from. The step runs on a copy
/// of the model's present parameters, so it may be called between the steps of a trainer or in its callbacks, on the trainer's
/// thread; nothing is changed. Each call records and plans the step anew.
/// </summary>
public static class TrainingDiagnostics
{
    /// <summary>Statistics of a training step on a batch with class indices.</summary>
    /// <param name="model">A built model of one input and one output.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="loss">The objective.</param>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="labels">N class indices.</param>
    /// <param name="options">Thresholds and seed; null for the defaults.</param>
    /// <returns>The statistics, with what they tell.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    /// <exception cref="InvalidDatasetException">A label is out of range.</exception>
    public static TrainingReport Inspect(
        Layer model, Device device, Loss loss, ReadOnlySpan<float> x, ReadOnlySpan<int> labels,
        InspectionOptions? options = null) =>
        Inspect(model, device, loss, x, MemoryMarshal.AsBytes(labels), classIndices: true, options ?? new InspectionOptions());

    /// <summary>Statistics of a training step on a batch with float targets.</summary>
    /// <param name="model">A built model of one input and one output.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="loss">The objective.</param>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="targets">N targets, [N, ...] flattened.</param>
    /// <param name="options">Thresholds and seed; null for the defaults.</param>
    /// <returns>The statistics, with what they tell.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    public static TrainingReport Inspect(
        Layer model, Device device, Loss loss, ReadOnlySpan<float> x, ReadOnlySpan<float> targets,
        InspectionOptions? options = null) =>
        Inspect(model, device, loss, x, MemoryMarshal.AsBytes(targets), classIndices: false, options ?? new InspectionOptions());

    /// <summary>
    /// Runs a training step operator by operator, forward and backward, and looks at every number: which operators make numbers
    /// that are not finite from numbers that are. For a batch at which training failed with a
    /// <see cref="NonFiniteLossException"/>, which leaves the parameters as they were before the step.
    /// </summary>
    /// <param name="model">A built model of one input and one output.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="loss">The objective.</param>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="labels">N class indices.</param>
    /// <param name="options">Seed and step, where dropout is to draw what it drew in the trainer; null for the defaults.</param>
    /// <returns>What was found, the first first.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the model.</exception>
    /// <exception cref="InvalidDatasetException">A label is out of range.</exception>
    public static NonFiniteReport FindNonFinite(
        Layer model, Device device, Loss loss, ReadOnlySpan<float> x, ReadOnlySpan<int> labels,
        InspectionOptions? options = null) =>
        FindNonFinite(model, device, loss, x, MemoryMarshal.AsBytes(labels), classIndices: true, options);

    /// <inheritdoc cref="FindNonFinite(Layer, Device, Loss, ReadOnlySpan{float}, ReadOnlySpan{int}, InspectionOptions?)"/>
    /// <param name="model">A built model of one input and one output.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="loss">The objective.</param>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="targets">N targets, [N, ...] flattened.</param>
    /// <param name="options">Seed and step, where dropout is to draw what it drew in the trainer; null for the defaults.</param>
    public static NonFiniteReport FindNonFinite(
        Layer model, Device device, Loss loss, ReadOnlySpan<float> x, ReadOnlySpan<float> targets,
        InspectionOptions? options = null) =>
        FindNonFinite(model, device, loss, x, MemoryMarshal.AsBytes(targets), classIndices: false, options);

    /// <summary>
    /// Looks in the same way at the step at which a trainer failed with a <see cref="NonFiniteLossException"/>: the trainer keeps
    /// the batch of its last such step, and the step left the parameters as they were.
    /// </summary>
    /// <param name="trainer">A trainer that was not disposed since, nor made other steps.</param>
    /// <returns>What was found, the first first; nothing where only the sum of the gradients' squares overflows.</returns>
    /// <exception cref="InvalidOperationException">No step of <see cref="Trainer.Fit"/> or
    /// <see cref="Trainer.TrainBatch(ReadOnlySpan{float}, ReadOnlySpan{int})"/> has failed so.</exception>
    public static NonFiniteReport FindNonFinite(Trainer trainer)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        Trainer.FailedStep failed = trainer.Failed
            ?? throw new InvalidOperationException(
                "TrainingDiagnostics: expected a trainer at which a step of Fit or TrainBatch failed with a NonFiniteLossException.");
        return FindNonFinite(
            trainer.Model, trainer.Device, trainer.Loss, failed.X, failed.Targets, failed.ClassIndices,
            new InspectionOptions { Seed = failed.Seed, Step = failed.RandomStep });
    }

    private static NonFiniteReport FindNonFinite(
        Layer model, Device device, Loss loss, ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices,
        InspectionOptions? options)
    {
        Require(model, device, loss);
        using DeviceUse use = device.Implementation.Life.Enter();
        using var step = new InspectedStep(
            model, device, loss, x, targets, classIndices, options ?? new InspectionOptions(), taps: false);
        return new NonFiniteSearch(model, step).Run(
            x, classIndices ? default : MemoryMarshal.Cast<byte, float>(targets));
    }

    private static TrainingReport Inspect(
        Layer model, Device device, Loss loss, ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices,
        InspectionOptions options)
    {
        Require(model, device, loss);
        using DeviceUse use = device.Implementation.Life.Enter();
        using var step = new InspectedStep(model, device, loss, x, targets, classIndices, options, taps: true);
        step.Step!.Run();
        var seen = new HashSet<Parameter>();
        LayerReport[] layers = [.. step.Taps.Select(tap =>
        {
            float[] output = step.Step.Read(tap.Output);
            return new LayerReport(
                tap.Path, tap.Layer.GetType().Name, tap.Output.Shape, new TensorStatistics(output),
                new TensorStatistics(step.Step.ReadGradient(tap.Added)), DeadUnits(output, tap.Output.Shape),
                makesZeros: tap.Layer is ActivationLayer || tap.Layer.Own.Count > 0);
        })];
        ParameterReport[] parameters = [.. model.NamedParameters
            .Where(named => step.IsTrained(named.Parameter) && seen.Add(named.Parameter))
            .Select(named => new ParameterReport(
                named.Name, named.Parameter.Shape, new TensorStatistics(step.ReadParameter(named.Parameter)),
                new TensorStatistics(step.ReadGradient(named.Parameter))))];
        return new TrainingReport(step.Step.ReadRoot(), layers, parameters, options);
    }

    private static void Require(Layer model, Device device, Loss loss)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(loss);
    }

    /// <summary>Places of the last axis that are 0 in all examples and at all other places.</summary>
    private static int[] DeadUnits(float[] output, Shape shape)
    {
        int units = shape.Rank > 1 ? shape[-1] : 0;
        if (output.Length == 0 || units == 0)
        {
            return [];
        }

        var isAlive = new bool[units];
        for (int i = 0; i < output.Length; i++)
        {
            isAlive[i % units] |= output[i] != 0;
        }

        return [.. Enumerable.Range(0, units).Where(unit => !isAlive[unit])];
    }
}
