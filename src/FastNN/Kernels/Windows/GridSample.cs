using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IWindows
{
    /// <summary>y = x at the grid's places, between pixels or at the nearest.</summary>
    void GridSampleForward(in GridSampleGeometry geometry, Tensor x, Tensor grid, Tensor y);

    /// <summary>dX (=|+=) dY times the weights of the places that read it, each pixel's sum in the order of the places.</summary>
    void GridSampleBackwardInput(in GridSampleGeometry geometry, Tensor dY, Tensor grid, Tensor dX, bool accumulate);

    /// <summary>dGrid (=|+=) the sum over channels of dY times the slope of x there; 0 for the nearest pixel.</summary>
    void GridSampleBackwardGrid(
        in GridSampleGeometry geometry, Tensor dY, Tensor x, Tensor grid, Tensor dGrid, bool accumulate);
}
