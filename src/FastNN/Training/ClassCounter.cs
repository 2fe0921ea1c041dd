using FastNN.Data;

namespace FastNN.Training;

/// <summary>Turns outputs into classes: the largest of several, or one number against a threshold.</summary>
internal sealed class ClassCounter(Loss loss)
{
    private int _columns;

    /// <summary>2 for a single output, else the number of outputs; 0 where the loss has no classes.</summary>
    public int Classes { get; private set; }

    /// <summary>Whether outputs of this shape tell classes; to be asked before they are counted.</summary>
    public bool Counts(Shape output)
    {
        _columns = output.Rank > 1 ? output[-1] : 1;
        Classes = loss.ClassCount(output) ?? 0;
        return Classes > 0;
    }

    /// <summary>
    /// How many rows are classified rightly, and how many of them count; each of these goes into the matrix, if there is one.
    /// </summary>
    public (int Correct, int Counted) Count(ReadOnlySpan<float> output, in Batch batch, ConfusionMatrix? confusion)
    {
        int rows = output.Length / _columns;
        int correct = 0, counted = 0;
        for (int i = 0; i < rows; i++)
        {
            int predicted = ClassOf(output.Slice(i * _columns, _columns), loss.Threshold);
            int actual = batch.Labels.IsEmpty ? ClassOf(batch.Targets.Slice(i * _columns, _columns), 0.5f) : batch.Labels[i];
            if ((uint)actual >= (uint)Classes || (!batch.Labels.IsEmpty && actual == loss.IgnoredClass))
            {
                continue;
            }

            counted++;
            correct += predicted == actual ? 1 : 0;
            confusion?.Add(actual, predicted);
        }

        return (correct, counted);
    }

    private static int ClassOf(ReadOnlySpan<float> row, float threshold) =>
        row.Length == 1 ? (row[0] > threshold ? 1 : 0) : System.Numerics.Tensors.TensorPrimitives.IndexOfMax(row);
}
