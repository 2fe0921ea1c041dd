using System.Runtime.InteropServices;
using FastNN.Data;
using FastNN.Graphs;
using FastNN.Training;

namespace FastNN;

/// <content>
/// A batch whose values do not fit into a processor's cache is computed in slices that do, where examples do not depend on each
/// other: each layer would otherwise write its values to memory and read them back. The update is that of the whole batch; its
/// sums are added up slice by slice, so the last bits are those of the slices, which depend on the network and the batch alone.
/// </content>
public sealed partial class Trainer
{
    /// <summary>Batches below are never cut, nor is it asked whether they could be.</summary>
    private const int LeastToCut = 256;

    /// <summary>Bytes that a step may work on as a whole: a share of a third-level cache.</summary>
    private const long CutFrom = 40 << 20;

    /// <summary>Bytes that a slice works on.</summary>
    private const long SliceBytes = 20 << 20;

    /// <summary>Bytes of a step for each example; 0 where a batch may not be cut, null before it was asked.</summary>
    private long? _bytesPerExample;

    /// <summary>The outputs of a step in slices, as <see cref="ReadOutput"/> gives them.</summary>
    private ArraySegment<float> _slicedOutput;
    private float[] _slicedOutputs = [];

    /// <summary>Examples that are computed at once: those of the batch, or of a slice of it.</summary>
    private int SliceOf(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices)
    {
        int batch = (int)(x.Length / RequireExample().Count);
        if (batch < LeastToCut || _device.Kind != "cpu")
        {
            return Math.Max(batch, 1);
        }

        // Where examples are ignored, the mean over a slice is by how many of its own count.
        if (classIndices && Loss.IgnoredClass is { } ignored && MemoryMarshal.Cast<byte, int>(targets).Contains(ignored))
        {
            return batch;
        }

        long perExample = _bytesPerExample ??= FindBytesPerExample();
        if (perExample == 0 || batch * perExample < CutFrom)
        {
            return batch;
        }

        // Equal slices where the batch has a divisor nearby, so that there is one plan.
        int least = (int)Math.Ceiling((double)batch * perExample / SliceBytes);
        for (int slices = least; slices < 2 * least; slices++)
        {
            if (batch % slices == 0)
            {
                return batch / slices;
            }
        }

        return (batch + least - 1) / least;
    }

    /// <summary>What a step takes for each example beyond what it takes for none, from the plans for two batches.</summary>
    private long FindBytesPerExample()
    {
        const int Few = 32, More = 64;
        // A loss that is a sum would count penalties once for each slice.
        if (Loss.Reduction != Reduction.Mean)
        {
            return 0;
        }

        StepRecording recording;
        try
        {
            recording = StepRecording.Of(
                step => TrainingProgram.Record(step, Model, Loss, RequireExample(), metrics: _fitMetrics), GraphMode.Training,
                _seed, _ => true);
        }
        catch (ShapeException)
        {
            // The step itself fails in the same way, and its error names the layer.
            return 0;
        }

        long parameters = Model.NamedParameters.Sum(named => (long)named.Parameter.Count) * sizeof(float);
        if (!ExampleSlices.ArePossible(recording.Graph, recording.Root))
        {
            return 0;
        }

        long Peak(int batch) => recording.Compile(
            _device, [RequireExample().Prepend(batch)], parameter => parameter.IsTrainable).PeakBytes;
        long perExample = (Peak(More) - Peak(Few)) / (More - Few);

        // Each slice adds to all gradients of parameters; where those are large themselves, cutting gains nothing.
        return 4 * parameters > SliceBytes ? 0 : Math.Max(perExample, 0);
    }

    /// <summary>A step in slices of so many examples.</summary>
    private float RunSlices(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices, int slice)
    {
        int example = (int)RequireExample().Count, batch = (int)(x.Length / example), outputs = 0;
        if (x.Length % example != 0 || targets.Length % batch != 0)
        {
            // Fails, and says how.
            return Load(x, targets, classIndices, GraphMode.Training).ReadResults().Loss;
        }

        int target = targets.Length / batch;
        double loss = 0;
        Prepare();
        _step!.DropGradients();
        try
        {
            for (int first = 0; first < batch; first += slice)
            {
                int count = Math.Min(slice, batch - first);
                ReadOnlySpan<float> inputs = x.Slice(first * example, count * example);
                ReadOnlySpan<byte> wanted = targets.Slice(first * target, count * target);
                TrainingProgram program = Load(inputs, wanted, classIndices, GraphMode.Training, first);
                float weight = (float)count / batch;
                _step.BeginAccumulating(program, weight, withOutput: true);
                loss += (double)weight * EndStep(inputs, wanted, classIndices, adds: true);
                outputs = KeepOutput(program.ReadOutput(), first, count, batch);
            }

            _step.UpdateAccumulated(Loss.Name, mean: false);
        }
        catch
        {
            _step.DropGradients();
            throw;
        }

        _slicedOutput = new ArraySegment<float>(_slicedOutputs, 0, outputs);
        return (float)loss;
    }

    /// <summary>Keeps the outputs of a slice; how many the whole batch has.</summary>
    private int KeepOutput(ReadOnlySpan<float> output, int first, int count, int batch)
    {
        int perExample = output.Length / count, all = perExample * batch;
        if (_slicedOutputs.Length < all)
        {
            _slicedOutputs = new float[all];
        }

        output.CopyTo(_slicedOutputs.AsSpan(first * perExample));
        return all;
    }

    private float RunBatchInSlices(DataLoader loader, in Batch batch, ClassCounter counter, int slice)
    {
        float loss = RunSlices(batch.Features, TargetBytes(batch), loader.Data.HasLabels, slice);
        bool counts = counter.Counts(_step!.Current!.Output.Shape);
        (int correct, int counted) = counts ? counter.Count(_slicedOutput, batch, null) : default;
        _progress.Add(batch.Count, (double)loss * batch.Count, correct, counted, counts);
        return loss;
    }
}
