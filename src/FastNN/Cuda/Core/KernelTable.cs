using System.Text;
using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

/// <summary>The kernels of a device: a family's PTX is loaded when its first kernel is asked for.</summary>
internal sealed unsafe class KernelTable(CudaCore core, KernelSource source)
{
    /// <summary>Dynamic shared memory that a kernel has without asking.</summary>
    private const int DefaultShared = 48 * 1024;

    private const int LogBytes = 8192;

    private const int MaxCustomModules = 256;

    private readonly Dictionary<string, Module> _modules = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CustomModule> _custom = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Kernel> _kernels = new(StringComparer.Ordinal);

    /// <summary>
    /// A kernel by its name, which is its own among all families. Its parameter must have the size of the launch's struct.
    /// </summary>
    public CUfunction Get(string family, string name, int argumentBytes, int sharedBytes)
    {
        if (!_kernels.TryGetValue(name, out Kernel? kernel))
        {
            _kernels.Add(name, kernel = Find(family, name));
        }

        if (kernel.ParameterBytes != argumentBytes)
        {
            throw new DeviceException(
                $"cuda: kernel {name} takes one parameter of {kernel.ParameterBytes} bytes, the launch passes {argumentBytes}.");
        }

        if (sharedBytes > kernel.SharedBytes)
        {
            core.Check(
                FunctionManagement.cuFuncSetAttribute(
                    kernel.Function, CUFunctionAttribute.MaxDynamicSharedSizeBytes, sharedBytes));
            kernel.SharedBytes = sharedBytes;
        }

        return kernel.Function;
    }

    /// <summary>A kernel of a user's own PTX, whose parameters must have these sizes.</summary>
    public CUfunction GetCustom(string ptx, string name, ReadOnlySpan<int> sizes, int sharedBytes)
    {
        if (!_custom.TryGetValue(ptx, out CustomModule? module))
        {
            if (core.IsCapturing)
            {
                throw new DeviceException(
                    $"cuda: the module of kernel {name} is not loaded yet; what is captured must have run before.");
            }

            if (_custom.Count == MaxCustomModules)
            {
                throw new DeviceException(
                    $"cuda: expected at most {MaxCustomModules} different PTX modules of custom operators, kernel {name} is of one more.");
            }

            module = new CustomModule(LoadPtx($"of kernel {name}", ptx, Encoding.UTF8.GetBytes(ptx)), Ptx.ParameterSizes(ptx));
            _custom.Add(ptx, module);
        }

        if (!module.Kernels.TryGetValue(name, out Kernel? kernel))
        {
            if (!module.Sizes.ContainsKey(name))
            {
                throw new DeviceException(
                    $"cuda: the PTX has no kernel {name}; its entries are {string.Join(", ", module.Sizes.Keys)}.");
            }

            CUfunction function = default;
            core.Check(ModuleManagement.cuModuleGetFunction(ref function, module.Handle, name));
            module.Kernels.Add(name, kernel = new Kernel(function, 0) { SharedBytes = DefaultShared });
        }

        if (!sizes.SequenceEqual(module.Sizes[name]))
        {
            throw new DeviceException(
                $"cuda: kernel {name} takes parameters of [{string.Join(", ", module.Sizes[name])}] bytes, the launch passes [{string.Join(", ", sizes.ToArray())}].");
        }

        if (sharedBytes > kernel.SharedBytes)
        {
            core.Check(
                FunctionManagement.cuFuncSetAttribute(
                    kernel.Function, CUFunctionAttribute.MaxDynamicSharedSizeBytes, sharedBytes));
            kernel.SharedBytes = sharedBytes;
        }

        return kernel.Function;
    }

    /// <summary>
    /// Loads one module, so that a driver that does not take this PTX says so when the device is made, and not in the middle of
    /// work.
    /// </summary>
    public void Probe()
    {
        if (source.Families.FirstOrDefault() is { } family)
        {
            Load(family);
        }
    }

    /// <summary>Loads what is not loaded yet.</summary>
    /// <returns>The number of families.</returns>
    public int LoadAll()
    {
        foreach (string family in source.Families)
        {
            Load(family);
        }

        return _modules.Count;
    }

    /// <summary>Unloads everything; errors are of no use any more.</summary>
    public void Unload()
    {
        foreach (Module module in _modules.Values)
        {
            _ = ModuleManagement.cuModuleUnload(module.Handle);
        }

        foreach (CustomModule module in _custom.Values)
        {
            _ = ModuleManagement.cuModuleUnload(module.Handle);
        }

        _custom.Clear();
        _modules.Clear();
        _kernels.Clear();
    }

    private Kernel Find(string family, string name)
    {
        Module module = Load(family);
        if (!module.ParameterBytes.TryGetValue(name, out int parameterBytes))
        {
            throw new DeviceException(
                $"cuda: kernels/{family}.cu has no kernel {name}; the library and its PTX are of different builds.");
        }

        CUfunction function = default;
        core.Check(ModuleManagement.cuModuleGetFunction(ref function, module.Handle, name));
        return new Kernel(function, parameterBytes) { SharedBytes = DefaultShared };
    }

    private Module Load(string family)
    {
        if (_modules.TryGetValue(family, out Module? module))
        {
            return module;
        }

        if (core.IsCapturing)
        {
            throw new DeviceException(
                $"cuda: the kernels of {family} are not loaded yet; what is captured must have run before.");
        }

        byte[] text = source.Read(family)
            ?? throw new DeviceException(
                $"cuda: this build of FastNN has no kernels for {family}; it was built from an incomplete kernels/ folder.");
        string ptx = Encoding.UTF8.GetString(text);
        module = new Module(LoadPtx(family, ptx, text), Ptx.ParameterBytes(ptx));
        _modules.Add(family, module);
        return module;
    }

    private CUmodule LoadPtx(string family, string ptx, byte[] text)
    {
        byte* log = stackalloc byte[LogBytes];
        log[0] = 0;
        CUJITOption[] options = [CUJITOption.ErrorLogBuffer, CUJITOption.ErrorLogBufferSizeBytes];
        IntPtr[] values = [(IntPtr)log, LogBytes];
        CUmodule module = default;
        // The driver reads up to a zero, which text files do not have.
        byte[] image = [.. text, 0];
        CUResult result = ModuleManagement.cuModuleLoadDataEx(ref module, image, (uint)options.Length, options, values);
        if (result != CUResult.Success)
        {
            var told = new ReadOnlySpan<byte>(log, LogBytes);
            int end = told.IndexOf((byte)0);
            string words = Encoding.UTF8.GetString(end < 0 ? told : told[..end]).Trim();
            core.Fail(
                result, nameof(ModuleManagement.cuModuleLoadDataEx),
                $"The module is {family}, PTX {Ptx.Directive(ptx, ".version")} for {Ptx.Directive(ptx, ".target")}, the driver {core.DriverVersion}."
                + (words.Length == 0 ? "" : $" Its compiler says: {words}"));
        }

        return module;
    }

    private sealed record Module(CUmodule Handle, Dictionary<string, int> ParameterBytes);

    private sealed record CustomModule(CUmodule Handle, Dictionary<string, int[]> Sizes)
    {
        public Dictionary<string, Kernel> Kernels { get; } = new(StringComparer.Ordinal);
    }

    private sealed record Kernel(CUfunction Function, int ParameterBytes)
    {
        public int SharedBytes { get; set; }
    }
}
