using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>How the JIT compiles the loops of kernels.</summary>
internal static class KernelCode
{
    /// <summary>
    /// Optimized from the first call on, and never a part of its caller. The JIT's last tier inlines such a method where the
    /// caller calls it often; the limit on inlining then counts both, and the loop's own operations on vectors may become calls:
    /// a softmax of 1024 x 1000 took 2.1 ms on two threads that way instead of 0.2 ms.
    /// </summary>
    public const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;
}
