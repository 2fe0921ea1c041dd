using FastNN.Cpu;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Peers;

internal sealed unsafe class ConvolutionContender : IContender
{
    private readonly bool _backward;
    private readonly Conv2DGeometry _geometry;
    private readonly WorkerPool _pool;
    private readonly NativeFloats _input, _weight, _bias, _output;
    private readonly NativeFloats _inputGradient, _weightGradient, _biasGradient, _outputGradient;
    private readonly byte* _workspace;

    public ConvolutionContender(ConvolutionCase @case, int threads)
    {
        var shape = @case.Shape;
        _backward = @case.Backward;
        _pool = new WorkerPool(threads);
        _geometry = Conv2DGeometry.Create(
            shape.Batch, shape.Size, shape.Size, shape.InChannels, shape.OutChannels, shape.Kernel, shape.Kernel,
            Padding2D.Symmetric(shape.Padding, shape.Padding), shape.Stride, shape.Stride, groups: shape.Groups);
        _input = NativeFloats.Random(_geometry.InputCount, 1);
        _weight = NativeFloats.Random(_geometry.FilterCount, 2);
        _bias = NativeFloats.Random(_geometry.OC, 3);
        _output = new NativeFloats(_geometry.OutputCount);
        _inputGradient = new NativeFloats(_geometry.InputCount);
        _weightGradient = new NativeFloats(_geometry.FilterCount);
        _biasGradient = new NativeFloats(_geometry.OC);
        _outputGradient = NativeFloats.Random(_geometry.OutputCount, 4);
        var bytes = Math.Max(
            Convolution.WorkspaceBytes(_geometry, ConvolutionPass.Forward),
            Math.Max(
                Convolution.WorkspaceBytes(_geometry, ConvolutionPass.BackwardData),
                Convolution.WorkspaceBytes(_geometry, ConvolutionPass.BackwardFilter)));
        _workspace = HostMemory.Allocate(bytes, clear: true);
    }

    public string Name => "fastnn";

    public void Step()
    {
        Convolution.Forward(
            _pool, _geometry, _input.Pointer, _weight.Pointer, _output.Pointer, new Epilogue(_bias.Pointer), _workspace);
        if (!_backward)
        {
            return;
        }

        Convolution.BackwardData(
            _pool, _geometry, _outputGradient.Pointer, _weight.Pointer, _inputGradient.Pointer, Epilogue.Store, _workspace);
        Convolution.BackwardFilter(
            _pool, _geometry, _input.Pointer, _outputGradient.Pointer, _weightGradient.Pointer, _biasGradient.Pointer,
            accumulateWeight: false, accumulateBias: false, _workspace);
    }

    public void Dispose()
    {
        _pool.Dispose();
        HostMemory.Free(_workspace);
        foreach (var block in new[]
            { _input, _weight, _bias, _output, _inputGradient, _weightGradient, _biasGradient, _outputGradient })
        {
            block.Dispose();
        }
    }
}
