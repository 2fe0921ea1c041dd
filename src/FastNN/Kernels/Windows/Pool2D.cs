using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IWindows
{
    /// <summary>
    /// y = the maximum of each window, and with <paramref name="relu"/> max(0, that); winners records which tap won,
    /// null in inference. The first of equal taps wins, NaN wins over numbers (PyTorch).
    /// </summary>
    void MaxPool2DForward(in Pool2DGeometry geometry, Tensor x, Tensor y, Tensor? winners, bool relu);

    /// <summary>dX (=|+=) dY at each winner, 0 elsewhere; with <paramref name="relu"/> only where y > 0.</summary>
    void MaxPool2DBackward(
        in Pool2DGeometry geometry, Tensor dY, Tensor y, Tensor winners, Tensor dX, bool relu, bool accumulate);

    /// <summary>y = the mean of each window; padding counts or not, as the geometry says.</summary>
    void AvgPool2DForward(in Pool2DGeometry geometry, Tensor x, Tensor y);

    /// <summary>dX (=|+=) each dY spread evenly over its window.</summary>
    void AvgPool2DBackward(in Pool2DGeometry geometry, Tensor dY, Tensor dX, bool accumulate);
}
