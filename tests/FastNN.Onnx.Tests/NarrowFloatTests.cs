using FastNN.Onnx.Host;

namespace FastNN.Onnx.Tests;

/// <summary>The floats of 16, 8 and 4 bits: every code there and back, rounding, and what lies beyond.</summary>
public sealed class NarrowFloatTests
{
    private static readonly OnnxElementType[] Types =
    [
        OnnxElementType.Float8E4M3FN, OnnxElementType.Float8E4M3FNUZ, OnnxElementType.Float8E5M2, OnnxElementType.Float8E5M2FNUZ,
        OnnxElementType.Float4E2M1,
    ];

    [TestCaseSource(nameof(Types))]
    public void Every_code_comes_back(OnnxElementType type)
    {
        int codes = type == OnnxElementType.Float4E2M1 ? 16 : 256;
        for (int code = 0; code < codes; code++)
        {
            float value = NarrowFloats.Decode(type, (byte)code);
            if (!float.IsNaN(value))
            {
                Assert.That(NarrowFloats.Encode(type, value, saturate: false), Is.EqualTo(code), $"{value}");
            }
        }
    }

    [TestCaseSource(nameof(Types))]
    public void What_lies_between_two_codes_goes_to_the_nearer_and_halves_to_the_even_one(OnnxElementType type)
    {
        int codes = type == OnnxElementType.Float4E2M1 ? 8 : 128;
        for (int code = 0; code + 1 < codes; code++)
        {
            float low = NarrowFloats.Decode(type, (byte)code), high = NarrowFloats.Decode(type, (byte)(code + 1));
            if (!float.IsFinite(low) || !float.IsFinite(high))
            {
                continue;
            }

            float middle = (low + high) / 2;
            Assert.Multiple(() =>
            {
                Assert.That(NarrowFloats.Encode(type, middle, true), Is.EqualTo(code + (code & 1)));
                Assert.That(NarrowFloats.Encode(type, MathF.BitDecrement(middle), true), Is.EqualTo(code));
                Assert.That(NarrowFloats.Encode(type, MathF.BitIncrement(middle), true), Is.EqualTo(code + 1));
            });
        }
    }

    [Test]
    public void Values_of_the_standards_table_are_met() => Assert.Multiple(() =>
    {
        Assert.That(NarrowFloats.Decode(OnnxElementType.Float8E4M3FN, 0x7E), Is.EqualTo(448));
        Assert.That(NarrowFloats.Decode(OnnxElementType.Float8E5M2, 0x7B), Is.EqualTo(57344));
        Assert.That(NarrowFloats.Decode(OnnxElementType.Float8E4M3FNUZ, 0x7F), Is.EqualTo(240));
        Assert.That(NarrowFloats.Decode(OnnxElementType.Float8E5M2FNUZ, 0x7F), Is.EqualTo(57344));
        Assert.That(NarrowFloats.Decode(OnnxElementType.Float4E2M1, 7), Is.EqualTo(6));
        Assert.That(NarrowFloats.Decode(OnnxElementType.Float8E4M3FN, 1), Is.EqualTo(MathF.ScaleB(1, -9)));
        Assert.That(NarrowFloats.Decode(OnnxElementType.Float8E5M2, 0x7C), Is.EqualTo(float.PositiveInfinity));
        Assert.That(NarrowFloats.Encode(OnnxElementType.Float8E4M3FN, 1e6f, saturate: true), Is.EqualTo(0x7E));
        Assert.That(NarrowFloats.Encode(OnnxElementType.Float8E4M3FN, 1e6f, saturate: false), Is.EqualTo(0x7F));
        Assert.That(NarrowFloats.Encode(OnnxElementType.Float8E5M2, -1e6f, saturate: false), Is.EqualTo(0xFC));
        Assert.That(NarrowFloats.Encode(OnnxElementType.Float8E5M2FNUZ, 1e6f, saturate: false), Is.EqualTo(0x80));
        Assert.That(NarrowFloats.Encode(OnnxElementType.Float8E4M3FNUZ, -0f, saturate: true), Is.EqualTo(0));
    });

    [Test]
    public void Bfloat16_rounds_to_even() => Assert.Multiple(() =>
    {
        Assert.That(NarrowFloats.ToBFloat16(1), Is.EqualTo(0x3F80));
        Assert.That(NarrowFloats.ToBFloat16(BitConverter.UInt32BitsToSingle(0x3F808000)), Is.EqualTo(0x3F80));
        Assert.That(NarrowFloats.ToBFloat16(BitConverter.UInt32BitsToSingle(0x3F818000)), Is.EqualTo(0x3F82));
        Assert.That(NarrowFloats.ToBFloat16(float.NaN), Is.EqualTo(0x7FC0));
        Assert.That(NarrowFloats.FromBFloat16(0xC000), Is.EqualTo(-2));
    });

    /// <summary>What does not fit: kept low bits from opset 24 on, the nearest value before.</summary>
    [TestCase(24, OnnxElementType.Int4, new double[] { 7, -8, 1, -7, 0 })]
    [TestCase(24, OnnxElementType.UInt4, new double[] { 7, 8, 1, 9, 0 })]
    [TestCase(24, OnnxElementType.Int2, new double[] { -1, 0, 1, 1, 0 })]
    [TestCase(24, OnnxElementType.Float4E2M1, new double[] { -6, 6, 1.5, 6, 0 })]
    [TestCase(23, OnnxElementType.Int4, new double[] { -8, 7, 1, 7, 0 })]
    [TestCase(23, OnnxElementType.Float4E2M1, new double[] { -6, 6, 1.5, 6, 6 })]
    public void Casts_to_four_and_two_bits(long opset, OnnxElementType type, double[] wanted)
    {
        OnnxTensor x = OnnxTensor.Create([-9f, 8, 1.3f, 9, float.NaN], 5);
        var y = (OnnxTensor)Build.Run(opset, "Cast", [x], 1, Build.Int("to", (long)type))[0]!;
        Assert.That(y.ElementType, Is.EqualTo(type));
        Assert.That(Numbers.Doubles(y)[..4], Is.EqualTo(wanted[..4]));
        Assert.That(type == OnnxElementType.Float4E2M1 ? Numbers.Doubles(y)[4] : wanted[4], Is.EqualTo(wanted[4]));
    }
}
