using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public void BinaryForward(BinaryOperator op, Tensor a, Tensor b, Tensor y) => throw new NotImplementedException();

    public void BinaryBackward(BinaryOperator op, Tensor dY, Tensor other, Tensor dA, bool accumulate) => throw new NotImplementedException();
}
