namespace FastNN.Testing;

/// <summary>Learning rates: those of the first steps.</summary>
internal static class GoldenSchedules
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["lr_constant"] = Of(a =>
        {
            float rate = a.Float("lr");
            return Schedule.Constant(rate * a.Float("factor")).For(a.Int("total_iters"), Schedule.Constant(rate));
        }),
        ["lr_linear"] = Of(a =>
        {
            (float rate, float first, float last) = (a.Float("lr"), a.Float("start_factor"), a.Float("end_factor"));
            return Schedule.Linear(rate * first, a.Int("total_iters"), rate * last);
        }),
        ["lr_step"] = Of(a => Schedule.Decay(a.Float("lr"), a.Float("gamma"), a.Int("step_size"))),
        ["lr_multistep"] = Of(a => Schedule.MultiStep(
            a.Float("lr"), a.Float("gamma"), Array.ConvertAll(a.Ints("milestones"), step => (long)step))),
        ["lr_exponential"] = Of(a => Schedule.Exponential(a.Float("lr"), a.Float("gamma"))),
        ["lr_polynomial"] = Of(a => Schedule.Polynomial(a.Float("lr"), a.Int("total_iters"), a.Float("power"))),
        ["lr_cosine"] = Of(a => Schedule.Cosine(a.Float("lr"), a.Int("T_max"), a.Float("eta_min"))),
        ["lr_onecycle"] = Of(a => Schedule.OneCycle(
            a.Float("max_lr"), a.Int("total_steps"), a.Float("pct_start"),
            a.String("anneal_strategy") == "cos" ? Annealing.Cosine : Annealing.Linear, a.Float("div_factor"),
            a.Float("final_div_factor"), a.Bool("three_phase"))),
        ["lr_plateau"] = (golden, _) => Plateau(golden),
    };

    private static Action<GoldenCase, Device> Of(Func<Attributes, Schedule> create) => (golden, _) =>
        golden.Compare("lr", create(golden.Attributes).First(golden.ShapeOf("lr")[0]));

    private static void Plateau(GoldenCase golden)
    {
        Attributes attributes = golden.Attributes;
        var plateau = new ReduceOnPlateau(
            attributes.Float("factor"), attributes.Int("patience"), attributes.Double("threshold"),
            attributes.String("threshold_mode") == "rel", attributes.Int("cooldown"), attributes.Float("min_lr"),
            attributes.Double("eps"), attributes.String("mode") == "max");
        float[] metric = golden.Floats("metric"), rates = new float[metric.Length];
        rates[0] = attributes.Float("lr");
        for (int step = 1; step < rates.Length; step++)
        {
            rates[step] = plateau.Next(metric[step - 1], rates[step - 1]);
        }

        golden.Compare("lr", rates);
    }
}
