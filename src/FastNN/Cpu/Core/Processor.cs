using System.Runtime;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastNN.Cpu;

/// <summary>Vector instructions, from the fewest to the most.</summary>
internal enum VectorSet
{
    /// <summary>At most 128 bits.</summary>
    Narrow,

    /// <summary>AVX2 with FMA.</summary>
    Avx2,

    /// <summary>AVX-512 F, BW, CD, DQ and VL.</summary>
    Avx512,
}

/// <summary>
/// Compares what the processor has with what the running code was compiled for. Code compiled ahead of time does not adapt to the
/// machine it runs on: without a word it computes with what its build was allowed to use.
/// </summary>
internal static class Processor
{
    // Bits of CPUID leaf 1, ECX, and of leaf 7, EBX (Intel SDM volume 2, CPUID).
    private const int Fma = 1 << 12;
    private const int OsSavesVectors = 1 << 27;
    private const int Avx2 = 1 << 5;
    private const int Avx512 = (1 << 16) | (1 << 17) | (1 << 28) | (1 << 30) | (1 << 31);

    /// <summary>What this process leaves unused, one line each.</summary>
    public static IReadOnlyList<string> Warnings { get; } = Find();

    /// <summary>What a processor has whose CPUID gave these registers.</summary>
    public static VectorSet SetOf(int leaf1Ecx, int leaf7Ebx)
    {
        bool avx2 = Has(leaf1Ecx, Fma | OsSavesVectors) && Has(leaf7Ebx, Avx2);
        return !avx2 ? VectorSet.Narrow : Has(leaf7Ebx, Avx512) ? VectorSet.Avx512 : VectorSet.Avx2;
    }

    /// <summary>
    /// What to tell a user whose process uses less than the processor has; null where there is nothing to tell.
    /// </summary>
    /// <param name="used">What the running code may use.</param>
    /// <param name="available">What the processor has.</param>
    /// <param name="aheadOfTime">Whether the code was compiled before it was started.</param>
    public static string? Compare(VectorSet used, VectorSet available, bool aheadOfTime)
    {
        if (used >= available)
        {
            return null;
        }

        (string has, string level) = available == VectorSet.Avx512 ? ("AVX-512", "x86-64-v4") : ("AVX2 and FMA", "x86-64-v3");
        string uses = used == VectorSet.Avx2 ? "AVX2 and FMA" : "128-bit vectors";
        return aheadOfTime
            ? $"the processor has {has}, this native build uses {uses}: publish it with <IlcInstructionSet>{level}</IlcInstructionSet> (docs/native-aot.md)"
            : $"the processor has {has}, the .NET runtime is configured to use {uses}: look for DOTNET_Enable... settings in the environment";
    }

    private static IReadOnlyList<string> Find()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return [];
        }

        if (!X86Base.IsSupported)
        {
            return [
                "the .NET runtime is configured to use no vector instructions: look for DOTNET_EnableHWIntrinsic in the environment"];
        }

        int leaves = X86Base.CpuId(0, 0).Eax;
        VectorSet available = leaves < 7 ? VectorSet.Narrow : SetOf(X86Base.CpuId(1, 0).Ecx, X86Base.CpuId(7, 0).Ebx);
        bool aheadOfTime = JitInfo.GetCompiledMethodCount() == 0;
        // Under the JIT, AVX-512 may be usable and yet not preferred, where it is slow; nothing is lost by that. Code compiled
        // ahead of time asks the processor for IsSupported, but uses 512 bits only where its build made them the least that it
        // runs on.
        bool wide = aheadOfTime ? Vector512.IsHardwareAccelerated : Avx512F.IsSupported && Avx512BW.IsSupported;
        VectorSet used = wide ? VectorSet.Avx512
            : Vector256.IsHardwareAccelerated && System.Runtime.Intrinsics.X86.Fma.IsSupported ? VectorSet.Avx2
            : VectorSet.Narrow;
        return Compare(used, available, aheadOfTime) is { } warning ? [warning] : [];
    }

    private static bool Has(int register, int bits) => (register & bits) == bits;
}
