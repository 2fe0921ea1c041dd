using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public void SoftmaxForward(Tensor x, Tensor y, int outer, int axis, int inner, bool logarithm) => throw new NotImplementedException();

    public void SoftmaxBackward(Tensor y, Tensor dY, Tensor dX, int outer, int axis, int inner, bool logarithm, bool accumulate) => throw new NotImplementedException();
}
