namespace FastNN.Cuda;

/// <summary>NVIDIA's libraries, each opened when it is first needed.</summary>
internal sealed unsafe partial class CudaDevice
{
    private Blas? _blas;
    private Cudnn? _cudnn;

    /// <summary>Matrix products.</summary>
    private Blas Blas => _blas ??= new Blas(this);

    /// <summary>Convolutions, where cuDNN is installed and wanted.</summary>
    private Cudnn Cudnn => _cudnn ??= new Cudnn(this, _options.UseCudnn);

    /// <summary>A library launched something on the compute stream.</summary>
    internal void CountLaunch() => _launches++;

    partial void ReleaseLibraries()
    {
        _blas?.Release();
        _cudnn?.Release();
    }
}
