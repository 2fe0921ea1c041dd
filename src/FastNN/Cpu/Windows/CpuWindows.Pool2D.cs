using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Pooling on tensors; the work is in <see cref="Pool2D"/>.</summary>
internal sealed unsafe partial class CpuWindows
{
    public static long MaxPool2DWinnerBytes(in Pool2DGeometry geometry) => Pool2D.WinnersBytes(geometry);

    public void MaxPool2DForward(in Pool2DGeometry geometry, Tensor x, Tensor y, Tensor? winners, bool relu) =>
        Pool2D.MaxForward(Pool, geometry, Floats(x), Floats(y), Bytes(winners), relu);

    public void MaxPool2DBackward(
        in Pool2DGeometry geometry, Tensor dY, Tensor y, Tensor winners, Tensor dX, bool relu, bool accumulate) =>
        Pool2D.MaxBackward(Pool, geometry, Floats(y), Floats(dY), Bytes(winners), Floats(dX), relu, accumulate);

    public void AvgPool2DForward(in Pool2DGeometry geometry, Tensor x, Tensor y) =>
        Pool2D.AverageForward(Pool, geometry, Floats(x), Floats(y));

    public void AvgPool2DBackward(in Pool2DGeometry geometry, Tensor dY, Tensor dX, bool accumulate) =>
        Pool2D.AverageBackward(Pool, geometry, Floats(dY), Floats(dX), accumulate);
}
