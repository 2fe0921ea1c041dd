using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public void CrossEntropyForward(in CrossEntropyOptions options, Tensor x, Tensor targets, Tensor? classWeights, Tensor loss, Tensor saved) => throw new NotImplementedException();

    public void CrossEntropyBackward(in CrossEntropyOptions options, Tensor x, Tensor targets, Tensor? classWeights, Tensor saved, Tensor dLoss, Tensor dX, bool accumulate) => throw new NotImplementedException();
}
