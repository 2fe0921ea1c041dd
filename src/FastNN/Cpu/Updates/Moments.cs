using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Sums of metrics: 4 bytes read per element, on the calling thread, since a step records a few numbers per example.
/// </summary>
internal sealed unsafe partial class CpuUpdates
{
    public void AddMoments(Tensor x, int columns, Tensor sums, Tensor? results)
    {
        if (results is not null && !float.IsFinite(Floats(results)[3]))
        {
            return;
        }

        float* values = Floats(x);
        double* total = (double*)sums.Address;
        nint rows = (nint)(x.Count / columns);
        total[0] += rows;
        for (int column = 0; column < columns; column++)
        {
            double sum = 0, squares = 0;
            for (nint row = 0; row < rows; row++)
            {
                double value = values[(row * columns) + column];
                sum += value;
                squares += value * value;
            }

            total[1 + (2 * column)] += sum;
            total[2 + (2 * column)] += squares;
        }
    }
}
