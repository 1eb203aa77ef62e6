/* mediasoup links each of its subprojects whole: here the library itself comes from the system, and this is the rest. */
extern int nothing_to_link;
