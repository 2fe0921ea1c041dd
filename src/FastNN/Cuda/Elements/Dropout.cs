using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Dropout: the mask is drawn in both passes, bit for bit the CPU's.</summary>
internal sealed unsafe partial class CudaElements
{
    public void DropoutForward(in DropoutOptions options, Tensor step, Tensor x, Tensor y) =>
        Drop(options, step, x, y, accumulate: false);

    public void DropoutBackward(in DropoutOptions options, Tensor step, Tensor dY, Tensor dX, bool accumulate) =>
        Drop(options, step, dY, dX, accumulate);

    private void Drop(in DropoutOptions options, Tensor step, Tensor x, Tensor y, bool accumulate)
    {
        if (x.Count > 0)
        {
            var arguments = new DropoutArguments(
                x.Address, y.Address, step.Address, x.Count, options.Seed, options.Stream, options.Rate, 1 / (1 - options.Rate),
                accumulate ? 1 : 0);
            Launch("dropout", "dropout_apply", ElementGrid(x.Count), arguments);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct DropoutArguments(
        nint X, nint Y, nint Step, long Count, ulong Seed, uint Stream, float Rate, float Scale, int Accumulate);
}
