using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

/// <summary>The driver's codes in words: what failed, why, and what to do.</summary>
internal static class CudaErrors
{
    /// <summary>Throws unless a call succeeded.</summary>
    /// <param name="call">The call as it is written in the source; its name is told.</param>
    public static void Check(CUResult result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != CUResult.Success)
        {
            throw Exception(result, call);
        }
    }

    public static DeviceException Exception(CUResult result, string call, string more = "") =>
        new(Message(result, Name(call), more));

    private const string Restart =
        "CUDA promises nothing more to this process: restart it to use the GPU again; the CPU remains usable.";

    private static DeviceException? processFault;

    /// <summary>After these a context does no more work.</summary>
    public static bool IsSticky(CUResult result) =>
        result is CUResult.ErrorIllegalAddress or CUResult.ErrorLaunchTimeout or CUResult.ErrorAssert
        or CUResult.ErrorMisalignedAddress or CUResult.ErrorLaunchFailed or CUResult.ErrorContextIsDestroyed
        or (>= (CUResult)714 and <= (CUResult)718);

    /// <summary>
    /// After these cuda.h says that the process must be terminated and relaunched, whatever device or context it would use.
    /// </summary>
    public static bool EndsProcess(CUResult result) => result is CUResult.ErrorIllegalAddress or CUResult.ErrorLaunchTimeout
        or CUResult.ErrorMisalignedAddress or CUResult.ErrorLaunchFailed or (>= (CUResult)714 and <= (CUResult)718);

    /// <summary>Remembers the first fault that ends CUDA for this process.</summary>
    public static void RememberFault(DeviceException fault) => Interlocked.CompareExchange(ref processFault, fault, null);

    /// <summary>For tests, where what stands for a new process is the same one.</summary>
    public static void ForgetFault() => processFault = null;

    /// <summary>
    /// Refuses to go on after a fault: some drivers would make a new context, but whether it computes is left open.
    /// </summary>
    public static void RequireNoFault()
    {
        if (Volatile.Read(ref processFault) is { } fault)
        {
            throw new DeviceException(
                $"cuda: a kernel failed in this process before. {Restart} What failed: {fault.Message}", fault);
        }
    }

    public static string Message(CUResult result, string function, string more = "") =>
        $"cuda: {function} failed with {Code(result)}: {Cause(result)}{(more.Length == 0 ? "" : " " + more)}";

    /// <summary>Of "Streams.cuStreamCreate(ref stream, ...)", cuStreamCreate.</summary>
    public static string Name(string call)
    {
        int end = call.IndexOf('(', StringComparison.Ordinal);
        string path = end < 0 ? call : call[..end];
        return path[(path.LastIndexOf('.') + 1)..];
    }

    private static string Code(CUResult result) => Enum.IsDefined(result) ? $"{result} ({(int)result})" : $"error {(int)result}";

    private static string Cause(CUResult result) => result switch
    {
        CUResult.ErrorInvalidValue => "an argument is out of range; this is a fault of FastNN's.",
        CUResult.ErrorOutOfMemory =>
            "the GPU's memory, or pinned host memory, is used up. A smaller batch needs less; so does closing other programs that use the GPU.",
        CUResult.ErrorStubLibrary =>
            "a toolkit's stub stands in the driver's place. Install the NVIDIA driver, or take the stubs out of the library path.",
        CUResult.ErrorDeviceUnavailable =>
            "another process holds the GPU exclusively. Wait for it, or set the GPU's compute mode to default.",
        CUResult.ErrorNoDevice =>
            "there is a driver but no GPU that it can use. Look at nvidia-smi and CUDA_VISIBLE_DEVICES, or use the CPU.",
        CUResult.ErrorInvalidDevice => "there is no GPU with that index; `fastnn devices` lists the GPUs of this machine.",
        CUResult.ErrorNoBinaryForGPU or CUResult.ErrorInvalidPtx => "the driver does not take the kernels for this GPU.",
        CUResult.JITCompilerNotFound =>
            "the driver's PTX compiler (libnvidia-ptxjitcompiler.so.1) is missing. In a container, allow the driver capability \"compute\".",
        CUResult.UnsupportedPTXVersion => "the driver is too old for the kernels. Install a newer NVIDIA driver.",
        CUResult.JITCompilationDisabled => "compiling PTX is switched off; unset CUDA_DISABLE_PTX_JIT.",
        CUResult.ErrorNotFound => "a name was not found.",
        CUResult.ErrorIllegalAddress => $"a kernel touched memory that is not its own. {Restart}",
        CUResult.ErrorMisalignedAddress => $"a kernel touched memory at a wrong alignment. {Restart}",
        CUResult.ErrorLaunchFailed => $"a kernel failed while it ran. {Restart}",
        CUResult.ErrorLaunchTimeout =>
            $"a kernel ran longer than the system allows; a GPU without a display has no limit. {Restart}",
        CUResult.ErrorAssert => "a kernel's assertion failed. This device does no more work; dispose it and make another.",
        >= (CUResult)714 and <= (CUResult)718 => $"a kernel failed: {Told(result)} {Restart}",
        CUResult.ErrorLaunchOutOfResources => "a kernel asks for more threads, registers or shared memory than the GPU has.",
        CUResult.ErrorContextIsDestroyed => "somebody reset the GPU's context. Dispose this device and make another.",
        CUResult.ErrorSystemDriverMismatch =>
            "driver library and kernel module are of different versions. Restart the machine after a driver update.",
        >= CUResult.ErrorStreamCaptureUnsupported and <= CUResult.ErrorStreamCaptureWrongThread =>
            "what was captured cannot be captured; this is a fault of FastNN's.",
        _ => Told(result),
    };

    /// <summary>The driver's own words.</summary>
    private static string Told(CUResult result)
    {
        IntPtr text = 0;
        return ErrorHandling.cuGetErrorString(result, ref text) == CUResult.Success
            && Marshal.PtrToStringUTF8(text) is { Length: > 0 } words
            ? words + "."
            : "the driver says no more.";
    }
}
