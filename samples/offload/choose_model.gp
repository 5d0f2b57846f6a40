# Draws what choose_model prints (gnuplot; Debian: gnuplot-nox):
#
#     build/release/samples/offload/offload_choose_model 5 >choose_model.txt
#     gnuplot -e "data='choose_model.txt'; picture='docs/choose_model.svg'" samples/offload/choose_model.gp
set terminal svg size 900,360 font "sans-serif,12" background "white"
set output picture
set multiplot layout 1,2
set key top center
set ylabel "ms"
set yrange [0:*]
set grid ytics linecolor "#dddddd"

set title "32 pieces of work by model"
set style data histograms
set style histogram clustered gap 1
set style fill solid noborder
set xtics scale 0
plot data index 0 using 2:xtic(1) title "I/O" linecolor "#4477aa", \
     "" index 0 using 4 title "CPU" linecolor "#ee6677", \
     "" index 0 using 6 title "mixed" linecolor "#ccbb44"

set title "the same in workers, by their number"
set style data linespoints
set xlabel "workers"
set logscale x 2
set xrange [0.8:40]
plot data index 1 using 1:2 title "I/O" linecolor "#4477aa" pointtype 7, \
     "" index 1 using 1:4 title "CPU" linecolor "#ee6677" pointtype 7, \
     "" index 1 using 1:6 title "mixed" linecolor "#ccbb44" pointtype 7, \
     "" index 1 using 1:8 title "start and end" linecolor "#999999" pointtype 7
unset multiplot
