using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Text;
using FastNN.Cpu;

namespace FastNN.Cli.Checks;

/// <summary>
/// An instruction set: whether the processor has it, whether this process may use it, and what it is good for here.
/// </summary>
internal sealed record InstructionSet(string Name, bool? InProcessor, bool InUse, string For);

/// <summary>
/// What the processor says of itself, beside what the runtime makes of it: they differ where a build or a variable leaves
/// something out.
/// </summary>
internal static class ProcessorFeatures
{
    public static string Name()
    {
        if (!X86Base.IsSupported || (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax < 0x80000004)
        {
            return System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString();
        }

        var text = new StringBuilder();
        for (int leaf = 2; leaf <= 4; leaf++)
        {
            (int eax, int ebx, int ecx, int edx) = X86Base.CpuId(unchecked((int)0x80000000) + leaf, 0);
            foreach (int register in (int[])[eax, ebx, ecx, edx])
            {
                text.Append(Encoding.ASCII.GetString(BitConverter.GetBytes(register)));
            }
        }

        return text.ToString().Trim('\0', ' ');
    }

    public static IReadOnlyList<InstructionSet> All() => X86Base.IsSupported ? X86()
        : AdvSimd.IsSupported ? [new("NEON", true, AdvSimd.IsSupported, "4 floats an instruction")]
        : [];

    private static InstructionSet[] X86()
    {
        int ecx1 = X86Base.CpuId(1, 0).Ecx, ebx7 = X86Base.CpuId(0, 0).Eax >= 7 ? X86Base.CpuId(7, 0).Ebx : 0;
        bool avx2 = Bit(ebx7, 5), fma = Bit(ecx1, 12),
        avx512 = Bit(ebx7, 16) && Bit(ebx7, 17) && Bit(ebx7, 28) && Bit(ebx7, 30) && Bit(ebx7, 31);
        return
        [
            new("SSE4.2", Bit(ecx1, 20), Lanes128.IsSupported, "4 floats an instruction"),
            new("AVX2 and FMA", avx2 && fma, Lanes256.IsSupported && Fma.IsSupported, "8 floats an instruction"),
            new("AVX-512", avx512, Lanes512.IsSupported, "16 floats an instruction"),
        ];
    }

    private static bool Bit(int value, int bit) => (value >> bit & 1) != 0;
}
