using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public long MaxPool2DWinnerBytes(in Pool2DGeometry geometry) => throw new NotImplementedException();

    public void MaxPool2DForward(in Pool2DGeometry geometry, Tensor x, Tensor y, Tensor? winners, bool relu) => throw new NotImplementedException();

    public void MaxPool2DBackward(in Pool2DGeometry geometry, Tensor dY, Tensor y, Tensor winners, Tensor dX, bool relu, bool accumulate) => throw new NotImplementedException();

    public void AvgPool2DForward(in Pool2DGeometry geometry, Tensor x, Tensor y) => throw new NotImplementedException();

    public void AvgPool2DBackward(in Pool2DGeometry geometry, Tensor dY, Tensor dX, bool accumulate) => throw new NotImplementedException();
}
