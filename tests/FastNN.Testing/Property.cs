using FsCheck;
using FsCheck.Fluent;

namespace FastNN.Testing;

/// <summary>Properties over random values, shrunk where they fail.</summary>
internal static class Property
{
    public static void Check<T>(int times, Action<T> property) => Check(times, ArbMap.Default.ArbFor<T>(), property);

    public static void Check<T>(int times, Arbitrary<T> values, Action<T> property) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(Quick.Times(times)), Prop.ForAll(values, property));

    public static void Check<T1, T2>(int times, Action<T1, T2> property) => FsCheck.Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(Quick.Times(times)),
        Prop.ForAll(ArbMap.Default.ArbFor<T1>(), ArbMap.Default.ArbFor<T2>(), property));
}
