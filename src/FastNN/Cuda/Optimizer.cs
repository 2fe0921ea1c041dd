using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public void SgdUpdate(in SgdOptions options, Tensor scalars, Tensor parameters, Tensor gradients, Tensor? velocity) => throw new NotImplementedException();

    public void AdamUpdate(in AdamOptions options, Tensor scalars, Tensor parameters, Tensor gradients, Tensor mean, Tensor variance, Tensor? maximum) => throw new NotImplementedException();
}
