using FastNN.Kernels;
using FastNN.Ops;
using FastNN.Tensors;

namespace FastNN;

/// <summary>The tensors of a forward pass of a <see cref="CustomOperator"/>; valid during the call.</summary>
public readonly ref struct ForwardPass
{
    private readonly NodeTensors _tensors;
    private readonly HostTensors _host;

    internal ForwardPass(NodeTensors tensors, HostTensors host) => (_tensors, _host) = (tensors, host);

    /// <summary>The type of an input.</summary>
    /// <param name="input">Its place.</param>
    /// <returns>Shape and element type.</returns>
    public TensorType InputType(int input) => Custom.TypeOf(_tensors.Inputs[input]);

    /// <summary>The type of an output.</summary>
    /// <param name="output">Its place; default the first.</param>
    /// <returns>Shape and element type.</returns>
    public TensorType OutputType(int output = 0) => Custom.TypeOf(_tensors.Outputs[output]);

    /// <summary>An input of floats, row-major.</summary>
    /// <param name="input">Its place.</param>
    /// <returns>Its elements.</returns>
    public ReadOnlySpan<float> Input(int input) => Input<float>(input);

    /// <summary>An input, row-major.</summary>
    /// <typeparam name="T">What its type is on the host: float, int, long, byte.</typeparam>
    /// <param name="input">Its place.</param>
    /// <returns>Its elements.</returns>
    /// <exception cref="ArgumentException">T has another size than the input's elements.</exception>
    public ReadOnlySpan<T> Input<T>(int input)
        where T : unmanaged => _host.Span<T>(_tensors.Inputs[input]);

    /// <summary>An output of floats, row-major, to be filled.</summary>
    /// <param name="output">Its place; default the first.</param>
    /// <returns>Its elements.</returns>
    public Span<float> Output(int output = 0) => Output<float>(output);

    /// <summary>An output, row-major, to be filled.</summary>
    /// <typeparam name="T">What its type is on the host: float, int, long, byte.</typeparam>
    /// <param name="output">Its place.</param>
    /// <returns>Its elements.</returns>
    /// <exception cref="ArgumentException">T has another size than the output's elements.</exception>
    public Span<T> Output<T>(int output)
        where T : unmanaged => _host.Span<T>(_tensors.Outputs[output]);
}

/// <summary>The tensors of a backward pass of a <see cref="CustomOperator"/>; valid during the call.</summary>
public readonly ref struct BackwardPass
{
    private readonly NodeTensors _tensors;
    private readonly HostTensors _host;
    private readonly CustomOperator _operator;

    internal BackwardPass(NodeTensors tensors, HostTensors host, CustomOperator op) =>
        (_tensors, _host, _operator) = (tensors, host, op);

    /// <summary>The type of an input.</summary>
    /// <param name="input">Its place.</param>
    /// <returns>Shape and element type.</returns>
    public TensorType InputType(int input) => Custom.TypeOf(_tensors.Inputs[input]);

    /// <summary>An input of floats, row-major.</summary>
    /// <param name="input">Its place.</param>
    /// <returns>Its elements.</returns>
    /// <exception cref="InvalidOperationException">The operator said that its backward pass does not read it.</exception>
    public ReadOnlySpan<float> Input(int input) => Input<float>(input);

    /// <summary>An input, row-major.</summary>
    /// <typeparam name="T">What its type is on the host: float, int, long, byte.</typeparam>
    /// <param name="input">Its place.</param>
    /// <returns>Its elements.</returns>
    /// <exception cref="InvalidOperationException">The operator said that its backward pass does not read it.</exception>
    public ReadOnlySpan<T> Input<T>(int input)
        where T : unmanaged => _operator.BackwardReadsInput(input)
            ? _host.Span<T>(_tensors.Inputs[input])
            : throw new InvalidOperationException(
                $"{_operator.Name}: BackwardReadsInput({input}) is false, so input {input} may be gone.");

    /// <summary>An output of floats, row-major.</summary>
    /// <param name="output">Its place; default the first.</param>
    /// <returns>Its elements.</returns>
    /// <exception cref="InvalidOperationException">The operator said that its backward pass does not read it.</exception>
    public ReadOnlySpan<float> Output(int output = 0) => _operator.BackwardReadsOutput(output)
        ? _host.Span<float>(_tensors.Outputs[output])
        : throw new InvalidOperationException(
            $"{_operator.Name}: BackwardReadsOutput({output}) is false, so output {output} may be gone.");

    /// <summary>The gradient of an output, row-major; empty where nothing that is differentiated reads the output.</summary>
    /// <param name="output">Its place; default the first.</param>
    /// <returns>Its elements.</returns>
    public ReadOnlySpan<float> OutputGradient(int output = 0) =>
        _tensors.OutputGradients[output] is { } gradient ? _host.Span<float>(gradient) : [];

    /// <summary>Whether an input needs a gradient.</summary>
    /// <param name="input">Its place.</param>
    public bool Wants(int input) => _tensors.InputGradients[input] is not null;

    /// <summary>
    /// The gradient of an input, row-major, to be added to (+=): it holds zeros, or what other consumers of the input gave.
    /// </summary>
    /// <param name="input">Its place.</param>
    /// <returns>Its elements; empty where it is not wanted.</returns>
    public Span<float> InputGradient(int input) =>
        _tensors.InputGradients[input] is { } gradient ? _host.Span<float>(gradient) : [];
}

/// <summary>An address on a GPU, for the arguments of a kernel.</summary>
public readonly struct DevicePointer
{
    internal DevicePointer(nint address) => Address = address;

    internal nint Address { get; }
}

/// <summary>One argument of a kernel: an address, an int, a long or a float.</summary>
public readonly struct CudaArgument
{
    private CudaArgument(long value, int bytes) => (Value, Bytes) = (value, bytes);

    internal long Value { get; }

    internal int Bytes { get; }

    /// <summary>An address.</summary>
    /// <param name="pointer">Of a tensor of the pass.</param>
    public static implicit operator CudaArgument(DevicePointer pointer) => new(pointer.Address, sizeof(long));

    /// <summary>A 32-bit integer.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator CudaArgument(int value) => new((uint)value, sizeof(int));

    /// <summary>A 64-bit integer.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator CudaArgument(long value) => new(value, sizeof(long));

    /// <summary>A 32-bit float.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator CudaArgument(float value) => new(BitConverter.SingleToUInt32Bits(value), sizeof(float));
}

/// <summary>The addresses of a forward pass on a GPU; valid during the call.</summary>
public readonly ref struct CudaForwardPass
{
    private readonly ICustomKernels _kernels;
    private readonly NodeTensors _tensors;
    private readonly string _ptx;

    internal CudaForwardPass(ICustomKernels kernels, NodeTensors tensors, string ptx) =>
        (_kernels, _tensors, _ptx) = (kernels, tensors, ptx);

    /// <summary>The type of an input.</summary>
    /// <param name="input">Its place.</param>
    /// <returns>Shape and element type.</returns>
    public TensorType InputType(int input) => Custom.TypeOf(_tensors.Inputs[input]);

    /// <summary>The address of an input.</summary>
    /// <param name="input">Its place.</param>
    /// <returns>For the arguments of a launch.</returns>
    public DevicePointer Input(int input) => new(_tensors.Inputs[input].Address);

    /// <summary>The address of an output, to be filled.</summary>
    /// <param name="output">Its place; default the first.</param>
    /// <returns>For the arguments of a launch.</returns>
    public DevicePointer Output(int output = 0) => new(_tensors.Outputs[output].Address);

    /// <summary>Launches a kernel behind everything launched before.</summary>
    /// <param name="kernel">The name of an entry of the PTX.</param>
    /// <param name="blocks">Blocks along x; 0 launches nothing.</param>
    /// <param name="threads">Threads of a block, 1 to 1024.</param>
    /// <param name="arguments">In the order of the kernel's parameters, in their sizes.</param>
    /// <exception cref="DeviceException">The PTX has no kernel of this name, or its parameters differ.</exception>
    public void Launch(string kernel, int blocks, int threads, params ReadOnlySpan<CudaArgument> arguments) =>
        Custom.Launch(_kernels, _ptx, kernel, blocks, threads, arguments);
}

/// <summary>The addresses of a backward pass on a GPU; valid during the call.</summary>
public readonly ref struct CudaBackwardPass
{
    private readonly ICustomKernels _kernels;
    private readonly NodeTensors _tensors;
    private readonly string _ptx;

    internal CudaBackwardPass(ICustomKernels kernels, NodeTensors tensors, string ptx) =>
        (_kernels, _tensors, _ptx) = (kernels, tensors, ptx);

    /// <summary>The type of an input.</summary>
    /// <param name="input">Its place.</param>
    /// <returns>Shape and element type.</returns>
    public TensorType InputType(int input) => Custom.TypeOf(_tensors.Inputs[input]);

    /// <summary>The address of an input that backward reads.</summary>
    /// <param name="input">Its place.</param>
    /// <returns>For the arguments of a launch.</returns>
    public DevicePointer Input(int input) => new(_tensors.Inputs[input].Address);

    /// <summary>The address of an output that backward reads.</summary>
    /// <param name="output">Its place; default the first.</param>
    /// <returns>For the arguments of a launch.</returns>
    public DevicePointer Output(int output = 0) => new(_tensors.Outputs[output].Address);

    /// <summary>Whether a gradient arrives at an output.</summary>
    /// <param name="output">Its place; default the first.</param>
    public bool HasOutputGradient(int output = 0) => _tensors.OutputGradients[output] is not null;

    /// <summary>The address of an output's gradient; null where none arrives.</summary>
    /// <param name="output">Its place; default the first.</param>
    /// <returns>For the arguments of a launch.</returns>
    public DevicePointer OutputGradient(int output = 0) => new(_tensors.OutputGradients[output]?.Address ?? 0);

    /// <summary>Whether an input needs a gradient.</summary>
    /// <param name="input">Its place.</param>
    public bool Wants(int input) => _tensors.InputGradients[input] is not null;

    /// <summary>The address of an input's gradient, to be added to (+=); null where none is wanted.</summary>
    /// <param name="input">Its place.</param>
    /// <returns>For the arguments of a launch.</returns>
    public DevicePointer InputGradient(int input) => new(_tensors.InputGradients[input]?.Address ?? 0);

    /// <summary>Launches a kernel behind everything launched before.</summary>
    /// <param name="kernel">The name of an entry of the PTX.</param>
    /// <param name="blocks">Blocks along x; 0 launches nothing.</param>
    /// <param name="threads">Threads of a block, 1 to 1024.</param>
    /// <param name="arguments">In the order of the kernel's parameters, in their sizes.</param>
    /// <exception cref="DeviceException">The PTX has no kernel of this name, or its parameters differ.</exception>
    public void Launch(string kernel, int blocks, int threads, params ReadOnlySpan<CudaArgument> arguments) =>
        Custom.Launch(_kernels, _ptx, kernel, blocks, threads, arguments);
}

/// <summary>What the passes share.</summary>
internal static class Custom
{
    public static TensorType TypeOf(Tensor tensor) => new(tensor.Shape, tensor.Type);

    public static void Launch(
        ICustomKernels kernels, string ptx, string kernel, int blocks, int threads, ReadOnlySpan<CudaArgument> arguments)
    {
        Span<long> values = stackalloc long[arguments.Length];
        Span<int> sizes = stackalloc int[arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            (values[i], sizes[i]) = (arguments[i].Value, arguments[i].Bytes);
        }

        kernels.LaunchCustom(ptx, kernel, blocks, threads, 0, values, sizes);
    }
}
