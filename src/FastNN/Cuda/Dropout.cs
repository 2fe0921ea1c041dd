using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public void DropoutForward(in DropoutOptions options, Tensor step, Tensor x, Tensor y) => throw new NotImplementedException();

    public void DropoutBackward(in DropoutOptions options, Tensor step, Tensor dY, Tensor dX, bool accumulate) => throw new NotImplementedException();
}
