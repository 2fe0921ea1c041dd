using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public long Conv2DWorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass) => throw new NotImplementedException();

    public void Conv2DForward(in Conv2DGeometry geometry, Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation, float slope, Tensor? workspace) => throw new NotImplementedException();

    public void Conv2DBackwardData(in Conv2DGeometry geometry, Tensor dY, Tensor weight, Tensor dX, bool accumulate, Tensor? workspace) => throw new NotImplementedException();

    public void Conv2DBackwardFilter(in Conv2DGeometry geometry, Tensor x, Tensor dY, Tensor dWeight, Tensor? dBias, bool accumulateWeight, bool accumulateBias, Tensor? workspace) => throw new NotImplementedException();
}
